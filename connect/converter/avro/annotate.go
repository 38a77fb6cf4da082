package avro

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/pabal-dev/pabal/connect/data"
)

const (
	precisionKey = "connect.decimal.precision"
	// precision of decimals whose schema does not say.
	defaultPrecision = 64
	fieldDefaultKey  = space + ".field.default"
)

// annotated closes an object with what Avro has no word for, in the order of Confluent's converter.
func annotated(open string, s *data.Schema) (string, error) {
	var b strings.Builder
	b.WriteString("{" + open)
	if s.Doc != "" {
		b.WriteString(`,"connect.doc":` + quote(s.Doc))
	}
	if s.Version != 0 {
		b.WriteString(`,"connect.version":` + strconv.Itoa(s.Version))
	}
	b.WriteString(parametersText(s))
	if _, ofField := s.Parameter(fieldDefaultKey); s.Default != nil && !ofField {
		text, err := defaultText(s, s.Default)
		if err != nil {
			return "", err
		}
		b.WriteString(`,"connect.default":` + text)
	}
	if s.Name != "" {
		b.WriteString(`,"connect.name":` + quote(s.Name))
	}
	if s.Type == data.Int8 || s.Type == data.Int16 {
		b.WriteString(`,"connect.type":` + quote(s.Type.String()))
	}
	if logical := logicalType(s); logical != "" {
		b.WriteString(`,"logicalType":` + quote(logical))
	}
	for _, p := range s.Parameters {
		if strings.HasPrefix(p.Name, "avro") {
			b.WriteString("," + quote(p.Name) + ":" + quote(p.Value))
		}
	}
	return b.String() + "}", nil
}

func parametersText(s *data.Schema) string {
	var parts []string
	for _, p := range s.Parameters {
		if p.Name != fieldDefaultKey {
			parts = append(parts, quote(p.Name)+":"+quote(p.Value))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return `,"connect.parameters":{` + strings.Join(parts, ",") + "}"
}

// decimalParts stand before all else.
func decimalParts(s *data.Schema) string {
	if s.Name != data.DecimalName || s.Type != data.Bytes {
		return ""
	}
	scale, precision := decimalOf(s)
	return fmt.Sprintf(`,"scale":%d,"precision":%d`, scale, precision)
}

func decimalOf(s *data.Schema) (scale, precision int) {
	text, _ := s.Parameter("scale")
	scale, _ = strconv.Atoi(text) // a schema without one is refused where it is written with
	precision = defaultPrecision
	if text, ok := s.Parameter(precisionKey); ok {
		if n, err := strconv.Atoi(text); err == nil {
			precision = n
		}
	}
	return scale, precision
}

// logicalType is Avro's. A decimal that Avro does not allow has none, unless its precision is said.
func logicalType(s *data.Schema) string {
	switch {
	case s.Name == data.DateName && s.Type == data.Int32:
		return "date"
	case s.Name == data.TimeName && s.Type == data.Int32:
		return "time-millis"
	case s.Name == data.TimestampName && s.Type == data.Int64:
		return "timestamp-millis"
	case s.Name == data.DecimalName && s.Type == data.Bytes:
		return "decimal"
	}
	return ""
}

// defaultText is a default as JSON.
func defaultText(s *data.Schema, value any) (string, error) {
	if value == nil {
		return "null", nil
	}
	if err := data.Validate(s, value); err != nil {
		return "", fmt.Errorf("default: %w", err)
	}
	if n, ok := number(s, value); ok {
		return strconv.FormatInt(n, 10), nil
	}
	switch v := value.(type) {
	case bool:
		return strconv.FormatBool(v), nil
	case string:
		return quote(v), nil
	case []byte:
		return quote(latin1(v)), nil
	case data.Decimal:
		return quote(latin1(v.Bytes())), nil
	case float32:
		return real(float64(v), 32), nil
	case float64:
		return real(v, 64), nil
	}
	return defaultOfParts(s, value)
}

func defaultOfParts(s *data.Schema, value any) (string, error) {
	var parts []string
	add := func(before string, s *data.Schema, value any) error {
		text, err := defaultText(s, value)
		parts = append(parts, before+text)
		return err
	}
	switch v := value.(type) {
	case []any:
		for _, e := range v {
			if err := add("", s.Value, e); err != nil {
				return "", err
			}
		}
		return "[" + strings.Join(parts, ",") + "]", nil
	case *data.Struct:
		for i, f := range s.Fields {
			if err := add(quote(f.Name)+":", f.Schema, v.Values[i]); err != nil {
				return "", err
			}
		}
		return "{" + strings.Join(parts, ",") + "}", nil
	case *data.Map:
		for i, key := range v.Keys {
			name, ok := key.(string)
			if !ok {
				return "", fmt.Errorf("%w: a default of a map whose keys are no text has no Avro form", data.ErrData)
			}
			if err := add(quote(name)+":", s.Value, v.Values[i]); err != nil {
				return "", err
			}
		}
		return "{" + strings.Join(parts, ",") + "}", nil
	}
	return "", fmt.Errorf("%w: a default of %T has no Avro form", data.ErrData, value)
}

// latin1 has one character for each byte, as Avro writes bytes in JSON.
func latin1(b []byte) string {
	runes := make([]rune, len(b))
	for i, c := range b {
		runes[i] = rune(c)
	}
	return string(runes)
}

func real(v float64, bits int) string {
	text := strconv.FormatFloat(v, 'g', -1, bits)
	if !strings.ContainsAny(text, ".eIN") {
		text += ".0"
	}
	return text
}
