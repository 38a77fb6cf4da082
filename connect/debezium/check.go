package debezium

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/connect/config"
)

var strategies = []string{SchemaStrategy, DefaultStrategy, SchemaUnicodeStrategy, DefaultUnicodeStrategy}

func knownStrategy(v any) error {
	name, ok := v.(string)
	if !ok || slices.Contains(strategies, name) {
		return nil
	}
	return fmt.Errorf("this strategy is not supported; there are %s", strings.Join(strategies, ", "))
}

func channels(known ...string) func(any) error {
	return func(v any) error {
		all, _ := v.([]string)
		for _, name := range all {
			if !slices.Contains(known, name) {
				return fmt.Errorf("the channel %q is not supported; there are %s", name, strings.Join(known, ", "))
			}
		}
		return nil
	}
}

// CheckCommon finds what is wrong with settings of CommonKeys that belong together.
func CheckCommon(v config.Values) []config.Problem {
	var out []config.Problem
	if v.Int("max.queue.size") <= v.Int("max.batch.size") {
		out = append(out, invalid("max.queue.size", "Must be larger than the maximum batch size"))
	}
	if len(v.List("signal.data.collection")) > 1 {
		out = append(out, invalid("signal.data.collection", "For single task connector only one signal data collection is permitted."))
	}
	if slices.Contains(v.List("notification.enabled.channels"), "sink") && v.String("notification.sink.topic.name") == "" {
		out = append(out, invalid("notification.sink.topic.name", "Notification topic name must be provided when sink notification channel is enabled"))
	}
	out = append(out, checkSignals(v)...)
	return append(out, checkPatterns(v, "snapshot.include.collection.list")...)
}

// pattern lists of RelationalKeys; the second of each pair excludes.
var listPairs = [][2]string{
	{"database.include.list", "database.exclude.list"}, {"schema.include.list", "schema.exclude.list"},
	{"table.include.list", "table.exclude.list"}, {"column.include.list", "column.exclude.list"},
}

// CheckRelational finds what is wrong with settings of CommonKeys and RelationalKeys that belong
// together.
func CheckRelational(v config.Values) []config.Problem {
	out := CheckCommon(v)
	for _, pair := range listPairs {
		if v.Set(pair[0]) && v.Set(pair[1]) {
			out = append(out, invalid(pair[1], fmt.Sprintf("%q is already specified", pair[0])))
		}
		out = append(out, checkPatterns(v, pair[0])...)
		out = append(out, checkPatterns(v, pair[1])...)
	}
	_, problems := readMappers(v.All())
	return append(out, problems...)
}

func checkPatterns(v config.Values, key string) []config.Problem {
	if _, err := readMatcher(v, key); err != nil {
		var p config.Problem
		if errors.As(err, &p) {
			return []config.Problem{invalid(key, "A comma-separated list of valid regular expressions is expected, but "+p.Message)}
		}
	}
	return nil
}

// invalid is worded as Debezium does.
func invalid(key, why string) config.Problem {
	return config.Problem{Key: key, Message: "The '" + key + "' value is invalid: " + why}
}
