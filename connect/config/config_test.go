package config

import (
	"reflect"
	"testing"
)

func TestParse(t *testing.T) {
	keys := map[Type]Key{}
	for _, typ := range []Type{Boolean, String, Int, Short, Long, Double, List, Class, Password} {
		keys[typ] = Key{Name: "key", Type: typ}
	}
	tests := []struct {
		typ   Type
		text  string
		want  any
		wrong string
	}{
		{Boolean, " TRUE ", true, ""},
		{Boolean, "yes", nil, "Invalid value yes for configuration key: Expected value to be either true or false"},
		{Int, "12", int64(12), ""},
		{Int, "2147483648", nil, "Invalid value 2147483648 for configuration key: Not a number of type INT"},
		{Int, "", nil, "Invalid value  for configuration key: Not a number of type INT"},
		{Short, "40000", nil, "Invalid value 40000 for configuration key: Not a number of type SHORT"},
		{Long, "-2147483649", int64(-2147483649), ""},
		{Double, "0.5", 0.5, ""},
		{List, "a , b,,c", []string{"a", "b", "", "c"}, ""},
		{List, " ", []string(nil), ""},
		{String, " x ", "x", ""},
		{Password, "p", "p", ""},
	}
	for _, test := range tests {
		v, problems := Definition{Keys: []Key{keys[test.typ]}}.Parse(map[string]string{"key": test.text})
		switch {
		case test.wrong == "" && len(problems) > 0, test.wrong != "" && (len(problems) != 1 || problems[0].Message != test.wrong):
			t.Errorf("%s %q: problems %v, want %q", test.typ, test.text, problems, test.wrong)
		case !reflect.DeepEqual(v.parsed["key"], test.want):
			t.Errorf("%s %q is %#v, want %#v", test.typ, test.text, v.parsed["key"], test.want)
		}
	}
}

func TestAbsentHasNoValue(t *testing.T) {
	d := Definition{Keys: []Key{{Name: "a", Type: Int}, {Name: "b", Type: String}, {Name: "c", Type: List}, {Name: "d", Type: Int, Default: "7"}}}
	v, problems := d.Parse(nil)
	if len(problems) > 0 || v.Int("a") != 0 || v.String("b") != "" || v.List("c") != nil || v.Int("d") != 7 || v.Set("d") {
		t.Errorf("got %+v, %v", v, problems)
	}
}

func TestUnsupportedIsRefusedByName(t *testing.T) {
	d := Definition{Keys: []Key{{Name: "lob.enabled", Type: Boolean, Default: "false", Unsupported: "there are no LOBs"}}}
	if _, problems := d.Parse(map[string]string{"lob.enabled": "false"}); len(problems) > 0 {
		t.Errorf("its default is refused: %v", problems)
	}
	if _, problems := d.Parse(map[string]string{"lob.enabled": "true"}); len(problems) != 1 || problems[0].Key != "lob.enabled" {
		t.Errorf("it is not refused: %v", problems)
	}
}

func TestKnowsPatterns(t *testing.T) {
	d := Definition{Keys: []Key{{Name: "one"}}, Patterns: []string{"driver.*", "*.mapping"}}
	for name, want := range map[string]bool{"one": true, "driver.x": true, "driver.": false, "a.mapping": true, "two": false} {
		if d.Knows(name) != want {
			t.Errorf("Knows(%q) is %t", name, !want)
		}
	}
}
