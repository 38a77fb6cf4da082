package values

import (
	"errors"
	"reflect"
	"testing"
)

func TestParseType(t *testing.T) {
	for text, want := range map[string]Column{
		"int(11) unsigned zerofill": {Type: "int", Unsigned: true, Length: 11, Scale: Unset},
		"decimal(10,2)":             {Type: "decimal", Length: 10, Scale: 2},
		"TEXT":                      {Type: "text", Length: Unset, Scale: Unset},
		"enum('a,b','it''s',')')":   {Type: "enum", Length: Unset, Scale: Unset, Members: []string{"a,b", "it's", ")"}},
		"double(7,3) unsigned":      {Type: "double", Unsigned: true, Length: 7, Scale: 3},
		"enum('broken":              {Type: "enum", Length: Unset, Scale: Unset, Members: []string{"broken"}},
		"":                          {Length: Unset, Scale: Unset},
	} {
		if got := ParseType(text); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v, want %+v", text, got, want)
		}
	}
}

func TestDefaults(t *testing.T) {
	for _, c := range []struct {
		text               string
		mariadb, generated bool
		declared           string
		notNull            bool
		want               any
	}{
		{"'it\\'s'", true, false, "varchar(9)", true, "it's"},
		{"'a''b'", true, false, "varchar(9)", true, "a'b"},
		{"NULL", true, false, "int(11)", false, nil},
		{"7", true, false, "int(11)", true, int32(7)},
		{"b'101'", true, false, "bit(3)", true, []byte{5}},
		{"b'1'", false, false, "bit(1)", true, true},
		{"it's", false, false, "varchar(9)", true, "it's"},
		{"current_timestamp()", true, false, "timestamp", true, "1970-01-01T00:00:00Z"},
		{"current_timestamp()", true, false, "timestamp", false, nil},
		{"CURRENT_TIMESTAMP", false, true, "datetime", true, int64(0)},
		{"uuid()", true, false, "varchar(36)", true, nil},
		{"1.5", true, false, "double", true, 1.5},
	} {
		column := ParseType(c.declared)
		column.NotNull = c.notNull
		column.Default, column.Computed = DefaultOf(c.text, c.mariadb, c.generated)
		if got := column.DefaultValue(Options{Time: "adaptive_time_microseconds"}.New(&column)); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s DEFAULT %s: %v, want %v", c.declared, c.text, got, c.want)
		}
	}
}

func TestValuesThatDoNotFit(t *testing.T) {
	for declared, given := range map[string]any{
		"int(11)": "x", "date": "tomorrow", "time": "12", "decimal(5,2)": "1.2.3", "bit(9)": "123456789", "point": "short",
		"enum('a')": int64(2), "uuid": "12345678901234567", "year": true, "double": "one", "vector(2)": "abc", "blob": 1.5,
	} {
		column := ParseType(declared)
		codec := Options{Decimal: "precise"}.New(&column)
		if v, err := codec.Row(given); !errors.Is(err, ErrValue) {
			t.Errorf("%s: %v of %v, %v", declared, given, v, err)
		}
	}
}
