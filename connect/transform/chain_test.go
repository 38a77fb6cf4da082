package transform_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/transform"
)

var all = plugin.Set{Transforms: transform.Plugins(), Predicates: transform.Predicates()}

func TestProblemsNameWholeKeys(t *testing.T) {
	given := map[string]string{
		"transforms":             "a,b,c,d,e,f",
		"transforms.a.type":      "com.example.Nothing",
		"transforms.b.type":      "org.apache.kafka.connect.transforms.InsertField$Value",
		"transforms.c.type":      "org.apache.kafka.connect.transforms.Cast$Value",
		"transforms.c.spec":      "id:decimal",
		"transforms.e.type":      "Filter",
		"transforms.e.negate":    "true",
		"transforms.f.type":      "Filter",
		"transforms.f.predicate": "q",
		"predicates":             "p",
		"predicates.p.type":      "org.apache.kafka.connect.transforms.predicates.TopicNameMatches",
		"predicates.p.pattern":   "(",
	}
	chain, problems := transform.NewChain(given, all)
	want := map[string]string{
		"transforms.a.type":      "Class com.example.Nothing could not be found.",
		"transforms.b.type":      "No field insertion configured",
		"transforms.c.spec":      "Invalid type found in casting spec: decimal",
		"transforms.d.type":      `Missing required configuration "transforms.d.type" which has no default value.`,
		"transforms.e.type":      "Config 'transforms.e.negate' was provided but there is no config 'transforms.e.predicate' defining a predicate to be negated.",
		"transforms.f.predicate": "there is no predicate of that name",
		"predicates.p.pattern":   "Invalid regex: ",
	}
	got := map[string]string{}
	for _, p := range problems {
		got[p.Key] = p.Message
	}
	if chain != nil || !slices.Equal(slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want))) {
		t.Fatalf("%v", got)
	}
	for key, text := range want {
		if !strings.Contains(got[key], text) {
			t.Errorf("%s: %q, want %q", key, got[key], text)
		}
	}
}

func TestDuplicateAlias(t *testing.T) {
	_, problems := transform.NewChain(map[string]string{"transforms": "a,a", "transforms.a.type": "Filter"}, all)
	if len(problems) != 1 || problems[0].Key != "transforms" || !strings.Contains(problems[0].Message, "Duplicate alias provided.") {
		t.Error(problems)
	}
}

func TestDefinitionHasTheKeysOfEach(t *testing.T) {
	d := transform.Definition(map[string]string{"transforms": "a,x", "transforms.a.type": "RegexRouter", "predicates": "p", "predicates.p.type": "HasHeaderKey"}, all)
	var names []string
	for _, k := range d.Keys {
		names = append(names, k.Name)
		if strings.HasPrefix(k.Name, "transforms.a.") && k.Group != "Transforms: a" {
			t.Errorf("%s is in the group %q", k.Name, k.Group)
		}
	}
	want := []string{
		"transforms", "predicates", "transforms.a.type", "transforms.a.predicate", "transforms.a.negate", "transforms.a.regex", "transforms.a.replacement",
		"transforms.x.type", "predicates.p.type", "predicates.p.name",
	}
	if !slices.Equal(names, want) {
		t.Error(names)
	}
}

// TestPredicates choose, and the failed transform is named.
func TestPredicates(t *testing.T) {
	c := chain(t, map[string]string{
		"transforms":                 "drop,keep,stamp",
		"transforms.drop.type":       "org.apache.kafka.connect.transforms.Filter",
		"transforms.drop.predicate":  "tombstone",
		"transforms.keep.type":       "org.apache.kafka.connect.transforms.Filter",
		"transforms.keep.predicate":  "orders",
		"transforms.keep.negate":     "TRUE",
		"transforms.stamp.type":      "org.apache.kafka.connect.transforms.TimestampRouter",
		"transforms.stamp.predicate": "stamped",
		"predicates":                 "tombstone,orders,stamped",
		"predicates.tombstone.type":  "org.apache.kafka.connect.transforms.predicates.RecordIsTombstone",
		"predicates.orders.type":     "org.apache.kafka.connect.transforms.predicates.TopicNameMatches",
		"predicates.orders.pattern":  "orders|order.*s",
		"predicates.stamped.type":    "org.apache.kafka.connect.transforms.predicates.HasHeaderKey",
		"predicates.stamped.name":    "stamp",
	})
	for _, test := range []struct {
		r    plugin.Record
		keep bool
	}{
		{plugin.Record{Topic: "orders"}, false},
		{plugin.Record{Topic: "orders", Value: "x"}, true},
		{plugin.Record{Topic: "order-lines", Value: "x"}, true},
		{plugin.Record{Topic: "my.orders", Value: "x"}, false},
	} {
		if keep, err := c.Apply(&test.r); keep != test.keep || err != nil {
			t.Errorf("%s: %v, %v", test.r.Topic, keep, err)
		}
	}
	r := plugin.Record{Topic: "orders", Value: "x", Timestamp: plugin.NoTimestamp, Headers: []plugin.Header{{Key: "stamp"}}}
	_, err := c.Apply(&r)
	if err == nil || err.Error() != "transform stamp (org.apache.kafka.connect.transforms.TimestampRouter): Timestamp missing on record of topic orders" {
		t.Error(err)
	}
}

// TestDefinitionsAreComplete: what is shown to people says what it is.
func TestDefinitionsAreComplete(t *testing.T) {
	check := func(i plugin.Info) {
		if i.Version == "" || !strings.Contains(i.Class, ".") {
			t.Errorf("%+v", i)
		}
		for _, k := range i.Config.Keys {
			if k.Doc == "" || k.Type == 0 || k.Required && k.Default != "" {
				t.Errorf("%s: %s", i.Class, k.Name)
			}
			if _, problems := i.Config.With(k).Parse(map[string]string{k.Name: k.Default}); k.Default != "" {
				for _, p := range problems {
					if p.Key == k.Name {
						t.Errorf("%s: the default is wrong: %v", i.Class, p)
					}
				}
			}
		}
	}
	for _, p := range all.Transforms {
		check(p.Info)
	}
	for _, p := range all.Predicates {
		check(p.Info)
	}
}

func chain(t testing.TB, given map[string]string) *transform.Chain {
	t.Helper()
	c, problems := transform.NewChain(given, all)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return c
}

func newChain(given map[string]string) (*transform.Chain, []config.Problem) {
	return transform.NewChain(given, all)
}
