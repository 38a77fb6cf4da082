package debezium

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/transform/internal/smt"
)

// scriptConfig is the keys of transforms that evaluate an expression.
func scriptConfig(expression, doc string) config.Definition {
	return config.Definition{Keys: []config.Key{
		{Name: "topic.regex", Type: config.String, Importance: config.Low, Check: checkOptionalRegex, Doc: "The transform is applied to records of topics that match only."},
		{
			Name: "language", Type: config.String, Required: true, Importance: config.High, Check: checkLanguage, Recommended: []string{"expr"},
			Doc: "Language of the expression: expr, which is that of github.com/expr-lang/expr.",
		},
		{
			Name: expression, Type: config.String, Required: true, Importance: config.High,
			Doc: doc + " It has key, value, topic, header, keySchema and valueSchema, such as value.op == 'u' and value?.before?.id == 2, or header.tenant.value.",
		},
		{
			Name: "null.handling.mode", Type: config.String, Default: "keep", Importance: config.Low,
			Check: config.OneOf("keep", "drop", "evaluate"), Recommended: []string{"drop", "keep", "evaluate"},
			Doc: "What becomes of records without a value, such as tombstones: keep lets them pass, drop leaves them out, evaluate asks the expression.",
		},
	}}
}

var (
	filterConfig  = scriptConfig("condition", "Which records pass: the expression is true for them.")
	contentConfig = scriptConfig("topic.expression", "Name of the record's topic; nil keeps it.")
)

func checkLanguage(v any) error {
	switch language, _ := v.(string); {
	case language == "expr" || language == "":
		return nil
	case strings.HasPrefix(language, "jsr223."), strings.HasPrefix(language, "wasm."):
		return fmt.Errorf("languages of a Java virtual machine are not supported: write the expression in the language of github.com/expr-lang/expr and set language=expr")
	}
	return errors.New("it must be expr, the language of github.com/expr-lang/expr")
}

// script is what transforms that evaluate an expression have in common.
type script struct {
	topics *smt.Regex // nil for all
	nulls  string
	text   string
	vm     *vm.Program
}

// scope is what an expression sees.
type scope struct {
	Key         any               `expr:"key"`
	Value       any               `expr:"value"`
	Topic       string            `expr:"topic"`
	KeySchema   scriptSchema      `expr:"keySchema"`
	ValueSchema scriptSchema      `expr:"valueSchema"`
	Header      map[string]header `expr:"header"`
}

type scriptSchema struct {
	Name    string `expr:"name"`
	Version int    `expr:"version"`
}

type header struct {
	Value  any          `expr:"value"`
	Schema scriptSchema `expr:"schema"`
}

func newScript(c config.Values, key string, options ...expr.Option) (*script, error) {
	t := &script{nulls: strings.ToLower(c.String("null.handling.mode")), text: c.String(key)}
	if text := c.String("topic.regex"); text != "" {
		var err error
		if t.topics, err = smt.CompileRegex(text); err != nil {
			return nil, config.Problem{Key: "topic.regex", Message: err.Error()}
		}
	}
	var err error
	if t.vm, err = expr.Compile(t.text, append(options, expr.Env(scope{}))...); err != nil {
		return nil, config.Problem{Key: key, Message: fmt.Sprintf("Failed to parse expression '%s': %v", t.text, err)}
	}
	return t, nil
}

// result of the expression; decided is true where it is not asked.
func (t *script) result(r *plugin.Record) (result any, keep, decided bool, err error) {
	if t.topics != nil && !t.topics.Matches(r.Topic) {
		return nil, true, true, nil
	}
	if r.Value == nil && t.nulls != "evaluate" {
		return nil, t.nulls == "keep", true, nil
	}
	s := scope{Key: plain(r.Key), Value: plain(r.Value), Topic: r.Topic, KeySchema: schemaOf(r.KeySchema), ValueSchema: schemaOf(r.ValueSchema), Header: map[string]header{}}
	for _, h := range r.Headers {
		s.Header[h.Key] = header{plain(h.Value), schemaOf(h.Schema)}
	}
	if result, err = expr.Run(t.vm, s); err != nil {
		err = fmt.Errorf("Error while evaluating expression '%s' for a record of topic %s: %w", t.text, r.Topic, err) //nolint:staticcheck // Debezium's own words
	}
	return result, false, false, err
}

func schemaOf(s *data.Schema) scriptSchema {
	if s == nil {
		return scriptSchema{}
	}
	return scriptSchema{s.Name, s.Version}
}

// plain is a value as expressions take it: structs and maps by names, decimals as numbers.
func plain(value any) any {
	switch v := value.(type) {
	case *data.Struct:
		out := make(map[string]any, len(v.Values))
		for i, f := range v.Schema.Fields {
			out[f.Name] = plain(smt.At(v, i, true))
		}
		return out
	case *data.Map:
		out := make(map[string]any, len(v.Keys))
		for i, key := range v.Keys {
			out[fmt.Sprint(key)] = plain(v.Values[i])
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = plain(v[i])
		}
		return out
	case data.Decimal:
		f, _ := strconv.ParseFloat(v.String(), 64) // a decimal has digits only
		return f
	}
	return value
}

// filter lets records pass.
type filter struct{ *script }

func newFilter(c config.Values) (plugin.Transform, error) {
	s, err := newScript(c, "condition", expr.AsBool())
	return filter{s}, err
}

func (t filter) Apply(r *plugin.Record) (bool, error) {
	result, keep, decided, err := t.result(r)
	if decided || err != nil {
		return keep, err
	}
	pass, _ := result.(bool)
	return pass, nil
}

// contentRouter names topics.
type contentRouter struct{ *script }

func newContentRouter(c config.Values) (plugin.Transform, error) {
	s, err := newScript(c, "topic.expression")
	return contentRouter{s}, err
}

func (t contentRouter) Apply(r *plugin.Record) (bool, error) {
	result, keep, decided, err := t.result(r)
	if decided || err != nil {
		return keep, err
	}
	switch topic := result.(type) {
	case nil:
	case string:
		r.Topic = topic
	default:
		return false, fmt.Errorf("Value '%v' returned by the expression is not a String", result) //nolint:staticcheck // Debezium's own words
	}
	return true, nil
}
