package config

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Problem is what is wrong with one key.
type Problem struct{ Key, Message string }

// Error names the key where the message does not.
func (p Problem) Error() string {
	if strings.Contains(p.Message, p.Key) {
		return p.Message
	}
	return p.Key + ": " + p.Message
}

// ErrConfig is wrapped by errors about configurations.
var ErrConfig = errors.New("configuration")

// Parse reads a configuration and finds all that is wrong with it. Keys that the definition does
// not know are let be: Unknown names them. Where there are problems, the values concerned are
// those of the defaults.
func (d Definition) Parse(given map[string]string) (Values, []Problem) {
	v := Values{parsed: make(map[string]any, len(d.Keys)), raw: given}
	var problems []Problem
	for _, key := range d.Keys {
		value, err := key.parse(given)
		if err == nil && key.Check != nil {
			if err = key.Check(value); err != nil {
				err = invalid(key.Name, value, err.Error())
			}
		}
		if err != nil {
			problems = append(problems, Problem{key.Name, err.Error()})
			value, _ = key.value(key.Default)
		}
		v.parsed[key.Name] = value
	}
	return v, problems
}

// Must parses a configuration that was found right before, such as a task's.
func (d Definition) Must(given map[string]string) (Values, error) {
	v, problems := d.Parse(given)
	if len(problems) == 0 {
		return v, nil
	}
	all := make([]error, len(problems))
	for i, p := range problems {
		all[i] = p
	}
	return v, fmt.Errorf("%w: %w", ErrConfig, errors.Join(all...))
}

// Unknown are the given keys that no definition knows, sorted.
func Unknown(given map[string]string, known ...Definition) []string {
	var out []string
	for name := range given {
		if !slices.ContainsFunc(known, func(d Definition) bool { return d.Knows(name) }) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

func (k Key) parse(given map[string]string) (any, error) {
	text, ok := given[k.Name]
	switch {
	case !ok && k.Required:
		return nil, fmt.Errorf("Missing required configuration %q which has no default value.", k.Name) //nolint:staticcheck // Kafka Connect's own words
	case !ok && k.Default == "" && k.Type != List:
		return nil, nil
	case !ok:
		return k.value(k.Default)
	}
	value, err := k.value(text)
	if err == nil && k.Unsupported != "" && strings.TrimSpace(text) != k.Default {
		return nil, invalid(k.Name, text, "this option is not supported: "+k.Unsupported)
	}
	return value, err
}

var commas = regexp.MustCompile(`\s*,\s*`)

func (k Key) value(text string) (any, error) {
	trimmed := strings.TrimSpace(text)
	switch k.Type {
	case Boolean:
		switch strings.ToLower(trimmed) {
		case "true":
			return true, nil
		case "false":
			return false, nil
		}
		return nil, invalid(k.Name, text, "Expected value to be either true or false")
	case Int, Short, Long:
		bits := map[Type]int{Int: 32, Short: 16, Long: 64}[k.Type]
		n, err := strconv.ParseInt(trimmed, 10, bits)
		if err != nil {
			return nil, invalid(k.Name, text, "Not a number of type "+k.Type.String())
		}
		return n, nil
	case Double:
		f, err := strconv.ParseFloat(trimmed, 64)
		if err != nil {
			return nil, invalid(k.Name, text, "Not a number of type "+k.Type.String())
		}
		return f, nil
	case List:
		if trimmed == "" {
			return []string(nil), nil
		}
		return commas.Split(trimmed, -1), nil
	}
	return trimmed, nil // of a Class, too: the runtime knows which there are
}

// invalid is worded as Kafka Connect's ConfigException, which people search for.
func invalid(name string, value any, why string) error {
	return fmt.Errorf("Invalid value %v for configuration %s: %s", value, name, why) //nolint:staticcheck // see above
}
