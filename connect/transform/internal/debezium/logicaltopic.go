package debezium

import (
	"fmt"
	"log/slog"
	"strings"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/transform/internal/smt"
)

// logicalTopicConfig is the keys; field is the default of key.field.name.
func logicalTopicConfig(field string, more ...config.Key) config.Definition {
	return config.Definition{Keys: append([]config.Key{
		{
			Name: "topic.regex", Type: config.String, Required: true, Importance: config.Low, Check: smt.CheckRegex,
			Doc: "Regular expression that has to match the whole name of the topic; others stay as they are.",
		},
		{
			Name: "topic.replacement", Type: config.String, Required: true, Importance: config.Low,
			Doc: "Name of the topic instead, with $1 or ${name} for what groups of the expression matched.",
		},
		{
			Name: "key.enforce.uniqueness", Type: config.Boolean, Default: "true", Importance: config.Low,
			Doc: "Whether keys get a field that says which topic the record would have gone to, because rows of several tables may have the same key.",
		},
		{
			Name: "key.field.name", Type: config.String, Default: field, Importance: config.Low,
			Doc: "Name of that field.",
		},
		{
			Name: "key.field.regex", Type: config.String, Importance: config.Low, Check: checkOptionalRegex,
			Doc: "Regular expression for the value of that field, which is the name of the topic otherwise.",
		},
		{
			Name: "key.field.replacement", Type: config.String, Importance: config.Low,
			Doc: "Value of that field, with what groups of the expression matched.",
		},
		{
			Name: "schema.name.adjustment.mode", Type: config.String, Default: "none", Importance: config.Low,
			Check: config.OneOf("none", "avro", "avro_unicode"), Recommended: []string{"none", "avro", "avro_unicode"},
			Doc: "Whether names of schemas are made fit for Avro.",
		},
		{
			Name: "logical.destination.cache.size", Type: config.Int, Default: "16", Importance: config.Low,
			Doc: "How many schemas are remembered. There is no need to set it here: it is as many as there are, up to 1000.",
		},
	}, more...)}
}

func checkOptionalRegex(v any) error {
	if text, _ := v.(string); strings.TrimSpace(text) == "" {
		return nil
	}
	return smt.CheckRegex(v)
}

var (
	toLogicalTopicConfig = logicalTopicConfig("__dbz__sourceIdentifier")
	byLogicalTableConfig = logicalTopicConfig("__dbz__physicalTableIdentifier", config.Key{
		Name: "logical.table.cache.size", Type: config.Int, Importance: config.Low, Doc: "Former name of logical.destination.cache.size.",
	})
)

// logicalTopic puts what comes from several tables into one topic.
type logicalTopic struct {
	regex    *smt.Regex
	topic    smt.Replacement
	unique   bool
	field    string
	keyRegex *smt.Regex // nil without
	keyText  smt.Replacement
	adjust   func(string) string

	keys      smt.Cache[*data.Schema]
	envelopes smt.Cache[*data.Schema]
}

func newLogicalTopic(c config.Values) (plugin.Transform, error) {
	t := &logicalTopic{unique: c.Bool("key.enforce.uniqueness"), field: c.String("key.field.name"), adjust: debezium.SchemaAdjuster(c.String("schema.name.adjustment.mode")).Adjust}
	var err error
	if t.regex, t.topic, err = replacing(c, "topic"); err != nil {
		return nil, err
	}
	if c.String("key.field.regex") == "" {
		return t, nil
	}
	if c.String("key.field.replacement") == "" {
		return nil, config.Problem{Key: "key.field.replacement", Message: "key.field.replacement must be non-empty if key.field.regex is set."}
	}
	t.keyRegex, t.keyText, err = replacing(c, "key.field")
	return t, err
}

// replacing reads a regular expression and its replacement.
func replacing(c config.Values, prefix string) (*smt.Regex, smt.Replacement, error) {
	regex, err := smt.CompileRegex(c.String(prefix + ".regex"))
	if err != nil {
		return nil, nil, config.Problem{Key: prefix + ".regex", Message: err.Error()}
	}
	with, err := regex.Replacement(c.String(prefix + ".replacement"))
	if err != nil {
		return nil, nil, config.Problem{Key: prefix + ".replacement", Message: err.Error()}
	}
	return regex, with, nil
}

const updatingSchema = "Updating schema"

func (t *logicalTopic) Apply(r *plugin.Record) (bool, error) {
	if !t.regex.Matches(r.Topic) {
		return true, nil
	}
	old, topic := r.Topic, t.regex.ReplaceFirst(r.Topic, t.topic)
	if topic == "" {
		slog.Warn("the topic's name would be empty; the record stays as it is", "topic", old, "transform", "ToLogicalTopicRouter")
		return true, nil
	}
	if err := t.rekey(r, old, topic); err != nil {
		return false, err
	}
	if r.Value != nil && smt.IsEnvelope(r.ValueSchema) {
		if err := t.rename(r, topic); err != nil {
			return false, err
		}
	}
	r.Topic = topic
	return true, nil
}

// rekey says in the key where the record comes from.
func (t *logicalTopic) rekey(r *plugin.Record, old, topic string) error {
	if r.Key == nil {
		r.KeySchema = nil
		return nil
	}
	key, err := smt.Struct(r.Key, updatingSchema)
	if err != nil {
		return err
	}
	s, err := t.keys.Of(key.Schema, func(s *data.Schema) (*data.Schema, error) {
		b := renamed(s, t.adjust(topic+".Key"))
		if t.unique {
			b.Add(t.field, smt.String)
		}
		return b.Build()
	})
	if err != nil {
		return err
	}
	out := &data.Struct{Schema: s, Values: make([]any, 0, len(s.Fields))}
	out.Values = append(out.Values, key.Values...)
	if t.unique {
		from := old
		if t.keyRegex != nil && t.keyRegex.Matches(old) {
			from = t.keyRegex.ReplaceFirst(old, t.keyText)
		}
		out.Values = append(out.Values, from)
	}
	r.KeySchema, r.Key = s, out
	return nil
}

// renamed begins with the fields of a schema.
func renamed(s *data.Schema, name string) *smt.Builder {
	b := smt.BuilderLike(s)
	b.Schema.Name, b.Schema.Optional = name, s.Optional
	b.Schema.Fields = append([]data.Field(nil), s.Fields...)
	return b
}

// rename the schemas of the envelope and of the rows in it.
func (t *logicalTopic) rename(r *plugin.Record, topic string) error {
	old, err := smt.Struct(r.Value, updatingSchema)
	if err != nil {
		return err
	}
	s, err := t.envelopes.Of(old.Schema, func(s *data.Schema) (*data.Schema, error) { return t.envelope(s, topic) })
	if err != nil {
		return err
	}
	out := data.NewStruct(s)
	for i, f := range s.Fields {
		out.Values[i] = smt.At(old, i, true)
		if f.Name != "before" && f.Name != "after" || out.Values[i] == nil {
			continue
		}
		row, err := smt.Struct(out.Values[i], updatingSchema)
		if err != nil {
			return err
		}
		out.Values[i] = &data.Struct{Schema: f.Schema, Values: row.Values}
	}
	r.ValueSchema, r.Value = s, out
	return nil
}

func (t *logicalTopic) envelope(s *data.Schema, topic string) (*data.Schema, error) {
	b := renamed(s, t.adjust(topic+".Envelope"))
	from := s.Field("before")
	if from < 0 {
		from = s.Field("after")
	}
	if from < 0 {
		return b.Build()
	}
	if s.Fields[from].Schema.Type != data.StructType {
		return nil, fmt.Errorf("%s is %s and no row of a table: documents cannot be put together", s.Fields[from].Name, s.Fields[from].Schema.Type)
	}
	row := renamed(s.Fields[from].Schema, t.adjust(topic+".Value")).Schema
	for i, f := range b.Schema.Fields {
		if f.Name == "before" || f.Name == "after" {
			b.Schema.Fields[i].Schema = row
		}
	}
	return b.Build()
}
