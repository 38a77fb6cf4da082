package standard

import (
	"fmt"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/internal/dateformat"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/transform/internal/smt"
)

var regexRouterConfig = config.Definition{Keys: []config.Key{
	{
		Name: "regex", Type: config.String, Required: true, Importance: config.High, Check: smt.CheckRegex,
		Doc: "Regular expression that has to match the whole name of the topic.",
	},
	{
		Name: "replacement", Type: config.String, Required: true, Importance: config.High,
		Doc: "Name of the topic instead, with $1 or ${name} for what groups of the expression matched.",
	},
}}

// regexRouter renames topics.
type regexRouter struct {
	regex *smt.Regex
	with  smt.Replacement
}

func newRegexRouter(c config.Values) (plugin.Transform, error) {
	regex, err := smt.CompileRegex(c.String("regex"))
	if err != nil {
		return nil, config.Problem{Key: "regex", Message: err.Error()}
	}
	with, err := regex.Replacement(c.String("replacement"))
	if err != nil {
		return nil, config.Problem{Key: "replacement", Message: err.Error()}
	}
	return &regexRouter{regex, with}, nil
}

func (t *regexRouter) Apply(r *plugin.Record) (bool, error) {
	if t.regex.Matches(r.Topic) {
		r.Topic = t.regex.ReplaceFirst(r.Topic, t.with)
	}
	return true, nil
}

var timestampRouterConfig = config.Definition{Keys: []config.Key{
	{
		Name: "topic.format", Type: config.String, Default: "${topic}-${timestamp}", Importance: config.High,
		Doc: "Name of the topic instead, with ${topic} for the name it has and ${timestamp} for the record's time.",
	},
	{
		Name: "timestamp.format", Type: config.String, Default: "yyyyMMdd", Importance: config.High, Check: checkDateFormat,
		Doc: "How the time is written, in UTC: letters of Java's SimpleDateFormat.",
	},
}}

func checkDateFormat(v any) error {
	text, _ := v.(string)
	_, err := dateformat.Parse(text)
	return err
}

// timestampRouter names topics by time.
type timestampRouter struct {
	topic string
	time  *dateformat.Format
}

func newTimestampRouter(c config.Values) (plugin.Transform, error) {
	format, err := dateformat.Parse(c.String("timestamp.format"))
	return &timestampRouter{c.String("topic.format"), format}, err
}

func (t *timestampRouter) Apply(r *plugin.Record) (bool, error) {
	if r.Timestamp == plugin.NoTimestamp {
		return false, fmt.Errorf("Timestamp missing on record of topic %s", r.Topic) //nolint:staticcheck // Kafka Connect's own words
	}
	topic := strings.ReplaceAll(t.topic, "${topic}", r.Topic)
	r.Topic = strings.ReplaceAll(topic, "${timestamp}", t.time.Text(time.UnixMilli(r.Timestamp)))
	return true, nil
}
