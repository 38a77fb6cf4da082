package core

import (
	"encoding/json"
	"slices"
	"strings"
)

// Levels of compatibility.
const (
	None               = "NONE"
	Backward           = "BACKWARD"
	BackwardTransitive = "BACKWARD_TRANSITIVE"
	Forward            = "FORWARD"
	ForwardTransitive  = "FORWARD_TRANSITIVE"
	Full               = "FULL"
	FullTransitive     = "FULL_TRANSITIVE"
)

// Levels are all of them.
var Levels = []string{None, Backward, BackwardTransitive, Forward, ForwardTransitive, Full, FullTransitive}

// Config of a subject, of a context or of all, by the names of records and answers. It keeps what
// another registry has written and this one does not know.
type Config map[string]json.RawMessage

// Names in a Config.
const (
	levelName     = "compatibilityLevel"
	policyName    = "compatibilityPolicy"
	groupName     = "compatibilityGroup"
	aliasName     = "alias"
	normalizeName = "normalize"
	subjectName   = "subject"
)

func (c Config) text(name string) string {
	var s string
	_ = json.Unmarshal(c[name], &s) // what is no text is none
	return s
}

// Level of compatibility; empty where there is none.
func (c Config) Level() string { return c.text(levelName) }

// Normalize tells that schemas are normalized without ?normalize.
func (c Config) Normalize() bool { return string(c[normalizeName]) == "true" }

func (c Config) lenient() bool { return c.text(policyName) == "LENIENT" }

// Answer is what GET answers: everything but the subject.
func (c Config) Answer() Config {
	out := Config{}
	for name, v := range c {
		if name != subjectName && name != "offset" && name != "ts" {
			out[name] = v
		}
	}
	return out
}

// Updated is what PUT answers, which calls the level "compatibility".
func (c Config) Updated() Config {
	out := c.Answer()
	if level, ok := out[levelName]; ok {
		delete(out, levelName)
		out["compatibility"] = level
	}
	return out
}

// update applies a request: null removes.
func (c Config) update(request Config) (Config, error) {
	out := Config{}
	for name, v := range c {
		out[name] = v
	}
	for name, v := range request {
		target, err := setting(name, v)
		if err != nil {
			return nil, err
		}
		if string(v) == "null" {
			delete(out, target)
			continue
		}
		if target == levelName || target == policyName {
			v = marshal(strings.ToUpper(request.text(name)))
		}
		out[target] = v
	}
	return out, nil
}

// setting checks one setting of a request and returns its name in a Config.
func setting(name string, value json.RawMessage) (string, error) {
	request, null := Config{name: value}, string(value) == "null"
	switch name {
	case "compatibility":
		if !null && !slices.Contains(Levels, strings.ToUpper(request.text(name))) {
			return "", errorf(InvalidCompatibility, "Invalid compatibility level. Valid values are none, backward, forward, full, backward_transitive, forward_transitive, and full_transitive")
		}
		return levelName, nil
	case policyName:
		if policy := strings.ToUpper(request.text(name)); !null && policy != "STRICT" && policy != "LENIENT" {
			return "", errorf(InvalidCompatibility, "Invalid compatibility policy. Valid values are strict and lenient")
		}
	case groupName, aliasName:
		if !null && request.text(name) == "" {
			return "", errorf(422, "%s is a text", name)
		}
	case normalizeName:
		if text := string(value); !null && text != "true" && text != "false" {
			return "", errorf(422, "%s is true or false", name)
		}
	default:
		if !null && string(value) != "false" {
			return "", errorf(422, "This registry has no setting %s", name)
		}
	}
	return name, nil
}

// scopes are where settings of a subject are looked for, the own one first.
func scopes(subject string) []string {
	out := []string{subject}
	if context := contextOf(subject); context != subject {
		out = append(out, context)
	}
	return append(out, Join(globalContext, ""))
}

// ConfigOf is the configuration of a subject alone; false where it has none. The global one, of the
// empty subject, is there always.
func (s *State) ConfigOf(subject string) (Config, bool) {
	c, ok := s.configs[subject]
	if !ok && subject != "" && subject != Join(globalContext, "") {
		return nil, false
	}
	return filled(c, Config{levelName: marshal(s.fallback)}), true
}

// ConfigInScope is what holds for a subject: what it does not say, its context says, and then all.
func (s *State) ConfigInScope(subject string) Config {
	out := Config{}
	for _, scope := range scopes(subject) {
		out = filled(out, s.configs[scope])
	}
	return filled(out, Config{levelName: marshal(s.fallback)})
}

// filled takes from another configuration what one does not say.
func filled(c, from Config) Config {
	out := Config{}
	for name, v := range from {
		out[name] = v
	}
	for name, v := range c {
		out[name] = v
	}
	return out
}

// SetConfig answers the new configuration.
func (s *State) SetConfig(subject string, request Config) (Config, []Record, error) {
	if err := CheckSubject(subject, true); err != nil {
		return nil, nil, err
	}
	if err := s.checkWritable(subject); err != nil {
		return nil, nil, err
	}
	c, err := s.configs[subject].update(request)
	if err != nil {
		return nil, nil, err
	}
	if subject != "" {
		c[subjectName] = marshal(subject)
	}
	return c, s.finish([]Record{{settingKey(keyConfig, subject), marshal(c)}}), nil
}

// DeleteConfig answers the configuration that was.
func (s *State) DeleteConfig(subject string) (Config, []Record, error) {
	old, ok := s.ConfigOf(subject)
	if !ok {
		return nil, nil, subjectNotFound(subject)
	}
	if err := s.checkWritable(subject); err != nil {
		return nil, nil, err
	}
	return old, s.finish([]Record{{Key: settingKey(keyConfig, subject)}}), nil
}

// Alias is the subject that is meant by one.
func (s *State) Alias(subject string) string {
	if alias := s.configs[subject].text(aliasName); alias != "" {
		return Qualify(subject, alias)
	}
	return subject
}
