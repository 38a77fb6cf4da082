package standard

import (
	"errors"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/transform/internal/smt"
)

//nolint:staticcheck // Kafka Connect's own words
var (
	errEmptyList = errors.New("Empty list")
	errNoText    = errors.New("String must be non-empty")
)

// Predicates are those of Kafka Connect.
func Predicates() []plugin.PredicatePlugin {
	of := func(name string, d config.Definition, make func(config.Values) (plugin.Predicate, error)) plugin.PredicatePlugin {
		return plugin.PredicatePlugin{Info: info(prefix+"predicates.", name, d), New: make}
	}
	return []plugin.PredicatePlugin{
		of("HasHeaderKey", hasHeaderKeyConfig, func(c config.Values) (plugin.Predicate, error) {
			return hasHeaderKey(c.String("name")), nil
		}),
		of("RecordIsTombstone", config.Definition{}, func(config.Values) (plugin.Predicate, error) { return recordIsTombstone{}, nil }),
		of("TopicNameMatches", topicNameMatchesConfig, func(c config.Values) (plugin.Predicate, error) {
			r, err := smt.CompileRegex(c.String("pattern"))
			return topicNameMatches{r}, err
		}),
	}
}

var hasHeaderKeyConfig = config.Definition{Keys: []config.Key{
	{Name: "name", Type: config.String, Required: true, Check: notEmptyText, Doc: "Name of the header that a record must have."},
}}

func notEmptyText(v any) error {
	if text, ok := v.(string); ok && text == "" {
		return errNoText
	}
	return nil
}

type hasHeaderKey string

func (p hasHeaderKey) Test(r *plugin.Record) (bool, error) {
	_, ok := r.Header(string(p))
	return ok, nil
}

type recordIsTombstone struct{}

func (recordIsTombstone) Test(r *plugin.Record) (bool, error) { return r.Value == nil, nil }

var topicNameMatchesConfig = config.Definition{Keys: []config.Key{
	{
		Name: "pattern", Type: config.String, Required: true,
		Check: func(v any) error {
			if err := notEmptyText(v); err != nil {
				return err
			}
			return smt.CheckRegex(v)
		},
		Doc: "Regular expression that has to match the whole name of the record's topic.",
	},
}}

type topicNameMatches struct{ pattern *smt.Regex }

func (p topicNameMatches) Test(r *plugin.Record) (bool, error) {
	return p.pattern.Matches(r.Topic), nil
}
