package debezium_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/debezium"
)

// TestProblems with one setting or two, by the key that is named.
func TestProblems(t *testing.T) {
	for _, c := range []struct {
		set       string // key=value with semicolons between
		key, want string
	}{
		{"topic.prefix=a b", "topic.prefix", "a b has invalid format (only the underscore, hyphen, dot and alphanumeric characters are allowed)"},
		{"topic.delimiter=/", "topic.delimiter", "invalid format"},
		{"max.batch.size=0", "max.batch.size", "A positive, non-zero integer value is expected"},
		{"max.batch.size=x", "max.batch.size", "Not a number of type INT"},
		{"max.batch.size=9000", "max.queue.size", "Must be larger than the maximum batch size"},
		{"heartbeat.interval.ms=-1", "heartbeat.interval.ms", "A non-negative integer is expected"},
		{"skipped.operations=c,x", "skipped.operations", "Invalid operation"},
		{"skipped.operations=none,c", "skipped.operations", "'none' cannot be specified with other skipped operation types"},
		{"decimal.handling.mode=exact", "decimal.handling.mode", "Value must be one of precise, string, double"},
		{"table.include.list=a;table.exclude.list=b", "table.exclude.list", `"table.include.list" is already specified`},
		{"column.include.list=a;column.exclude.list=b", "column.exclude.list", `"column.include.list" is already specified`},
		{"table.include.list=(?!a)", "table.include.list", "a negative lookahead (?!…) is not supported"},
		{"snapshot.include.collection.list=(", "snapshot.include.collection.list", "missing closing )"},
		{"message.key.columns=a", "message.key.columns", "a has an invalid format"},
		{"message.key.columns=a:b;c", "message.key.columns", ""},
		{"column.mask.hash.ROT13.with.salt.x=a", "column.mask.hash.ROT13.with.salt.x", `there is no hash algorithm "ROT13"`},
		{"column.mask.with.99999999.chars=a", "column.mask.with.99999999.chars", "a mask has at most"},
		{"notification.enabled.channels=sink", "notification.sink.topic.name", "must be provided"},
		{"notification.enabled.channels=jmx", "notification.enabled.channels", `the channel "jmx" is not supported`},
		{"signal.data.collection=a.b,c.d", "signal.data.collection", "only one signal data collection is permitted"},
		{"converters=isbn", "converters", "custom converters are Java classes"},
		{"topic.naming.strategy=com.acme.Mine", "topic.naming.strategy", "this strategy is not supported"},
		{"custom.metric.tags=a", "custom.metric.tags", "for example: k1=v1,k2=v2"},
	} {
		given := map[string]string{"topic.prefix": "shop"}
		for _, pair := range strings.Split(c.set, ";") {
			if key, value, ok := strings.Cut(pair, "="); ok {
				given[key] = value
			} else {
				given["message.key.columns"] += ";" + pair
			}
		}
		v, problems := definition().Parse(given)
		problems = append(problems, debezium.CheckRelational(v)...)
		if !slices.ContainsFunc(problems, func(p config.Problem) bool { return p.Key == c.key && strings.Contains(p.Message, c.want) }) {
			t.Errorf("%s: %v, want %q of %s", c.set, problems, c.want, c.key)
		}
		if len(problems) != 1 {
			t.Errorf("%s: %d problems: %v", c.set, len(problems), problems)
		}
	}
}

func TestNothingIsWrongWithDefaults(t *testing.T) {
	given := map[string]string{"topic.prefix": "shop"}
	v, problems := definition().Parse(given)
	if problems = append(problems, debezium.CheckRelational(v)...); len(problems) > 0 {
		t.Errorf("got %v", problems)
	}
	for _, name := range []string{"column.mask.hash.v2.SHA-256.with.salt.x", "column.truncate.to.3.chars", "snapshot.select.statement.overrides.public.a", "signal.consumer.x"} {
		given[name] = "x"
	}
	if unknown := config.Unknown(given, definition()); len(unknown) > 0 {
		t.Errorf("does not know %v", unknown)
	}
	v, problems = definition().Parse(nil)
	if _, err := debezium.NewRelational(v, debezium.Database{}); err == nil || len(problems) != 1 {
		t.Errorf("without topic.prefix: %v, %v", err, problems)
	}
}
