package standard

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"time"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/transform/internal/smt"
)

var maskFieldConfig = withDefaults(
	config.Key{Name: "fields", Type: config.List, Required: true, Importance: config.High, Check: notEmptyList, Doc: "Fields whose values are hidden."},
	config.Key{
		Name: "replacement", Type: config.String, Importance: config.Low, Check: notEmptyText,
		Doc: "What stands in their place, for text and numbers; without it that is 0, false, empty text and so on.",
	},
)

// maskField hides values.
type maskField struct {
	part        smt.Part
	fields      []string
	replacement string
	replace     bool
	defaults    bool
}

func newMaskField(c config.Values, part smt.Part) (plugin.Transform, error) {
	t := &maskField{part: part, fields: c.List("fields"), defaults: c.Bool("replace.null.with.default")}
	t.replacement, t.replace = c.Raw("replacement")
	return t, nil
}

const maskPurpose = "mask fields"

func (t *maskField) Apply(r *plugin.Record) (bool, error) {
	s, value := t.part.Of(r)
	if s == nil {
		m, err := smt.Map(value, maskPurpose)
		if err != nil {
			return false, err
		}
		out := smt.CloneMap(m)
		for _, name := range t.fields {
			old, _ := m.Get(name)
			v, err := t.masked(old)
			if err != nil {
				return false, fmt.Errorf("field %s: %w", name, err)
			}
			out.Put(name, v)
		}
		t.part.Put(r, nil, out)
		return true, nil
	}
	row, err := smt.Struct(value, maskPurpose)
	if err != nil {
		return false, err
	}
	out := data.NewStruct(row.Schema)
	for i, f := range row.Schema.Fields {
		v := smt.At(row, i, t.defaults)
		if slices.Contains(t.fields, f.Name) {
			if v, err = t.masked(v); err != nil {
				return false, fmt.Errorf("field %s: %w", f.Name, err)
			}
		}
		out.Values[i] = v
	}
	t.part.Put(r, s, out)
	return true, nil
}

func (t *maskField) masked(value any) (any, error) {
	if value == nil {
		return nil, nil
	}
	if t.replace {
		return t.replaced(value)
	}
	switch v := value.(type) {
	case bool:
		return false, nil
	case int8:
		return int8(0), nil
	case int16:
		return int16(0), nil
	case int32:
		return int32(0), nil
	case int64:
		return int64(0), nil
	case float32:
		return float32(0), nil
	case float64:
		return float64(0), nil
	case string:
		return "", nil
	case data.Decimal:
		return data.Decimal{Unscaled: new(big.Int), Scale: v.Scale}, nil // one of its schema, which has a scale
	case time.Time:
		return time.UnixMilli(0).UTC(), nil
	case []any:
		return []any{}, nil
	case *data.Map:
		return &data.Map{}, nil
	}
	return nil, fmt.Errorf("Cannot mask value of type: %s", smt.Kind(value)) //nolint:staticcheck // Kafka Connect's own words
}

func (t *maskField) replaced(value any) (any, error) {
	if _, ok := value.(string); ok {
		return t.replacement, nil
	}
	d, wrong := data.ParseDecimal(t.replacement)
	var v any
	switch old := value.(type) {
	case int8, int16, int32, int64:
		if wrong == nil {
			to, _ := data.TypeOfValue(value)
			v = integer(lowBits(d), to)
		}
	case float32:
		f, err := strconv.ParseFloat(t.replacement, 32)
		v, wrong = float32(f), err
	case float64:
		v, wrong = strconv.ParseFloat(t.replacement, 64)
	case data.Decimal:
		if wrong == nil {
			v, wrong = d.WithScale(old.Scale)
		}
	default:
		return nil, fmt.Errorf("Cannot mask value of type %s with custom replacement.", smt.Kind(value)) //nolint:staticcheck // see above
	}
	if wrong != nil {
		return nil, fmt.Errorf("Unable to convert %s to number: %w", t.replacement, wrong) //nolint:staticcheck // see above
	}
	return v, nil
}
