package node

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Setting is one setting, as DescribeConfigs tells it.
type Setting struct {
	Name, Value string
	// Own says that the topic, or the broker at run time, has it set; Given that it is
	// of Options.Settings, or of a topic that the broker has another default set for;
	// else it is Kafka's default.
	Own, Given bool
	// Dynamic says that it can be changed at run time.
	Dynamic bool
	// Default is what it is if not Own.
	Default string
	Type    int8 // kmsg.ConfigType
	Doc     string
	// Synonym is the broker's setting that is a topic's default, or "".
	Synonym string
	// Values are all that it has, the one that counts first, Kafka's default last.
	Values []Value
}

// Value is what a setting is at one place.
type Value struct {
	Name, Value string
	Source      kmsg.ConfigSource
}

// rule is what a setting may be. Names, types and defaults are Kafka's.
type rule struct {
	name, value string // value is the default
	kind        kind
	doc         string
	synonym     string // of topics' settings
	dynamic     bool   // of the broker's settings
}

// kind is a type of values, and those allowed.
type kind struct {
	typ   kmsg.ConfigType
	check func(string) error // says what is allowed
}

func (r *rule) check(value string) error {
	if err := r.kind.check(value); err != nil {
		return invalid("%s cannot be %q: %v", r.name, value, err)
	}
	return nil
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", kerr.InvalidConfig, fmt.Sprintf(format, args...))
}

const (
	minute = 60 * 1000 // in milliseconds, as all of Kafka's
	hour   = 60 * minute
	day    = 24 * hour
)

func whole(typ kmsg.ConfigType, low, high int64) kind {
	return kind{typ, func(s string) error {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < low || n > high {
			return fmt.Errorf("it is a whole number from %d to %d", low, high)
		}
		return nil
	}}
}

func atLeast(low int64) kind    { return whole(kmsg.ConfigTypeLong, low, math.MaxInt64) }
func intAtLeast(low int64) kind { return whole(kmsg.ConfigTypeInt, low, math.MaxInt32) }

func ratio() kind {
	return kind{kmsg.ConfigTypeDouble, func(s string) error {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil || !(f >= 0 && f <= 1) {
			return fmt.Errorf("it is a number from 0 to 1")
		}
		return nil
	}}
}

func boolean() kind { return kind{kmsg.ConfigTypeBoolean, among("true", "false")} }

// only is what can have no other value here, and why.
func only(typ kmsg.ConfigType, value, why string) kind {
	return kind{typ, func(s string) error {
		if s != value {
			return fmt.Errorf("it is %s here: %s", value, why)
		}
		return nil
	}}
}

func oneOf(values ...string) kind { return kind{kmsg.ConfigTypeString, among(values...)} }

func among(values ...string) func(string) error {
	return func(s string) error {
		if !slices.Contains(values, s) {
			return fmt.Errorf("it is %s", strings.Join(values, " or "))
		}
		return nil
	}
}

// listOf is values with commas between them.
func listOf(values ...string) kind {
	return kind{kmsg.ConfigTypeList, func(s string) error {
		for _, part := range strings.Split(s, ",") {
			if !slices.Contains(values, strings.TrimSpace(part)) {
				return fmt.Errorf("it is one or more of %s, with commas between them", strings.Join(values, ", "))
			}
		}
		return nil
	}}
}

func anyList() kind { return kind{kmsg.ConfigTypeList, func(string) error { return nil }} }

// table is settings by name.
type table struct {
	rules  []*rule // by name
	byName map[string]*rule
}

func newTable(rules []rule) *table {
	t := &table{byName: map[string]*rule{}}
	for i := range rules {
		t.rules = append(t.rules, &rules[i])
		t.byName[rules[i].name] = &rules[i]
	}
	slices.SortFunc(t.rules, func(a, b *rule) int { return strings.Compare(a.name, b.name) })
	return t
}
