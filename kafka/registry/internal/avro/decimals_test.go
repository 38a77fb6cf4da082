package avro_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/kafka/registry/internal/avro"
)

func TestDecimals(t *testing.T) {
	of := func(precision, scale int) string {
		return fmt.Sprintf(`{"type":"bytes","logicalType":"decimal","precision":%d,"scale":%d}`, precision, scale)
	}
	const node = `{"type":"record","name":"N","fields":[{"name":"next","type":["null","N"]},{"name":"a","type":%s}]}`
	for _, c := range []struct {
		place string // of %s
		paths string
	}{
		{`%s`, "/"},
		{`["null",%s]`, "/1"},
		{`{"type":"array","items":{"type":"map","values":%s}}`, "/items/values"},
		{`{"type":"record","name":"R","fields":[{"name":"b","type":"int"},{"name":"a","type":[%s,"string"]}]}`, "/fields/1/type/0"},
		{node, "/fields/1/type"},
		{`["string",` + node + `]`, "/1/fields/1/type"},
	} {
		was := parse(t, strings.Replace(c.place, "%s", of(9, 2), 1))
		for digits, differs := range map[[2]int]bool{{9, 2}: false, {9, 3}: true, {12, 2}: true, {5, 2}: true} {
			now := parse(t, strings.Replace(c.place, "%s", of(digits[0], digits[1]), 1))
			if found := avro.Compare(now, was); len(found) > 0 {
				t.Errorf("%s: Java's library would not say %+v", c.place, found)
			}
			var paths []string
			for _, d := range avro.Decimals(now, was) {
				paths = append(paths, d.Path)
			}
			if (strings.Join(paths, " ") == c.paths) != differs || len(paths) > 1 {
				t.Errorf("%s %v: %q, want %s", c.place, digits, paths, c.paths)
			}
		}
	}
	whole := `{"type":"bytes","logicalType":"decimal","precision":9}`
	for _, same := range [][2]string{
		{whole, of(9, 0)}, {whole, `"bytes"`}, {`"bytes"`, whole}, {`["null",` + of(9, 2) + `]`, of(9, 2)}, {of(9, 2), `["null",` + of(9, 2) + `]`},
		{`{"type":"record","name":"R","fields":[{"name":"new","type":` + whole + `}]}`, `{"type":"record","name":"R","fields":[{"name":"old","type":` + of(5, 1) + `}]}`},
	} {
		if found := avro.Decimals(parse(t, same[0]), parse(t, same[1])); len(found) > 0 {
			t.Errorf("%s: %+v", same, found)
		}
	}
	if found := avro.Decimals(parse(t, `["null",`+of(9, 3)+`]`), parse(t, of(9, 2))); len(found) != 1 {
		t.Errorf("%+v", found)
	}
	if found := avro.Decimals(parse(t, of(9, 3)), parse(t, `["null",`+of(9, 2)+`]`)); len(found) != 1 {
		t.Errorf("%+v", found)
	}
}
