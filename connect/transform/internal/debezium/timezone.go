package debezium

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/transform/internal/smt"
)

var timezoneConfig = config.Definition{Keys: []config.Key{
	{
		Name: "converted.timezone", Type: config.String, Required: true, Importance: config.High,
		Check: func(v any) error {
			text, _ := v.(string)
			_, err := zoneOf(text)
			return err
		},
		Doc: "The time zone of times afterwards: a name such as America/Los_Angeles, or an offset such as +08:00.",
	},
	{
		Name: "include.list", Type: config.List, Importance: config.High, Check: checkRules,
		Doc: "What is converted only: source:table, source:table:field, topic:name, topic:name:field, or name:field for either. Fields may begin with before., after. or source.",
	},
	{Name: "exclude.list", Type: config.List, Importance: config.High, Check: checkRules, Doc: "What is not converted, in the same way."},
}}

const wrongZone = "Invalid timezone format. Please specify either a geographic timezone (e.g. America/Los_Angeles) or a UTC offset in the format of +/-hh:mm, (e.g. +08:00)."

var offsetPattern = regexp.MustCompile(`^([+-])(\d{2}):(\d{2})(?::(\d{2}))?$`)

func zoneOf(text string) (*time.Location, error) {
	if m := offsetPattern.FindStringSubmatch(text); m != nil {
		var h, min, sec int
		_, _ = fmt.Sscan(m[2], &h) // they are digits
		_, _ = fmt.Sscan(m[3], &min)
		_, _ = fmt.Sscan(m[4], &sec)
		seconds := h*3600 + min*60 + sec
		if m[1] == "-" {
			seconds = -seconds
		}
		return time.FixedZone(text, seconds), nil
	}
	if text == "" || text == "Local" {
		return nil, errors.New(wrongZone)
	}
	zone, err := time.LoadLocation(text)
	if err != nil {
		return nil, fmt.Errorf("%s %w", wrongZone, err)
	}
	return zone, nil
}

func checkRules(v any) error {
	list, _ := v.([]string)
	for _, rule := range list {
		parts := strings.Split(rule, ":")
		if len(parts) > 3 || slices.Contains(parts, "") {
			return fmt.Errorf(`%q is none of "source:<tablename>:<fieldnames>", "topic:<topicname>:<fieldnames>", "<matchname>:<fieldnames>"`, rule)
		}
	}
	return nil
}

// timezone shifts times.
type timezone struct {
	zone             *time.Location
	include, exclude bool
	rules            []zoneRule
}

// zoneRule is for a topic, a table, or what has no kind either; without fields for all.
type zoneRule struct {
	kind, name string
	fields     []string
}

func newTimezone(c config.Values) (plugin.Transform, error) {
	zone, err := zoneOf(c.String("converted.timezone"))
	if err != nil {
		return nil, err
	}
	include, exclude := c.List("include.list"), c.List("exclude.list")
	if len(include) > 0 && len(exclude) > 0 {
		return nil, config.Problem{Key: "exclude.list", Message: "Both include and exclude lists are specified. Please specify only one."}
	}
	return &timezone{zone: zone, include: len(include) > 0, exclude: len(exclude) > 0, rules: zoneRules(append(include, exclude...))}, nil
}

// zoneRules reads them. A kind holds for the rules after it, too, as in Debezium.
func zoneRules(list []string) []zoneRule {
	var all []zoneRule
	kind := ""
	for _, text := range list {
		parts := strings.Split(text, ":")
		if first := strings.ToLower(parts[0]); len(parts) > 1 && (first == "source" || first == "topic") {
			kind, parts = first, parts[1:]
		}
		i := slices.IndexFunc(all, func(r zoneRule) bool { return r.kind == kind && r.name == parts[0] })
		if i < 0 {
			i, all = len(all), append(all, zoneRule{kind: kind, name: parts[0]})
		}
		all[i].fields = append(all[i].fields, parts[1:]...)
	}
	return all
}

func (t *timezone) Apply(r *plugin.Record) (bool, error) {
	if r.Value == nil || !smt.IsEnvelope(r.ValueSchema) {
		return true, nil
	}
	change, err := smt.Struct(r.Value, "time zones")
	if err != nil {
		return false, err
	}
	chosen, ok := t.chosen(change, r.Topic)
	if !ok {
		return true, nil
	}
	out := &data.Struct{Schema: change.Schema, Values: slices.Clone(change.Values)}
	for i, f := range change.Schema.Fields {
		row, ok := out.Values[i].(*data.Struct)
		if !ok || f.Name != "before" && f.Name != "after" && f.Name != "source" {
			continue
		}
		if out.Values[i], err = t.row(f.Name, row, chosen); err != nil {
			return false, err
		}
	}
	r.Value = out
	return true, nil
}

// chosen says which fields of a struct of the envelope are converted; ok is false for none.
func (t *timezone) chosen(change *data.Struct, topic string) (_ func(inside, field string) bool, ok bool) {
	table := ""
	if source, ok := change.Get("source").(*data.Struct); ok {
		table, _ = source.Get("table").(string)
	}
	rule := t.rule(table, topic)
	everything := func(inside, _ string) bool { return inside != "source" }
	switch {
	case rule == nil:
		return everything, !t.include
	case len(rule.fields) == 0:
		return everything, t.include
	}
	return func(inside, field string) bool {
		named := slices.Contains(rule.fields, inside+"."+field) || inside != "source" && slices.Contains(rule.fields, field)
		if inside == "source" && !slices.ContainsFunc(rule.fields, func(f string) bool { return strings.HasPrefix(f, "source.") }) {
			return false
		}
		return named == t.include
	}, true
}

func (t *timezone) rule(table, topic string) *zoneRule {
	for _, want := range []zoneRule{{kind: "topic", name: topic}, {kind: "source", name: table}, {name: topic}, {name: table}} {
		for i := range t.rules {
			if t.rules[i].kind == want.kind && t.rules[i].name == want.name && want.name != "" {
				return &t.rules[i]
			}
		}
	}
	return nil
}

func (t *timezone) row(inside string, row *data.Struct, chosen func(inside, field string) bool) (*data.Struct, error) {
	out := &data.Struct{Schema: row.Schema, Values: slices.Clone(row.Values)}
	for i, f := range row.Schema.Fields {
		v := smt.At(row, i, true)
		if v == nil || !chosen(inside, f.Name) {
			continue
		}
		var err error
		if f.Schema.Name == "" && inside == "source" {
			out.Values[i] = t.epoch(f.Name, v)
		} else if out.Values[i], err = t.converted(f.Schema.Name, v); err != nil {
			return nil, fmt.Errorf("field %s: %w", f.Name, err)
		}
	}
	return out, nil
}
