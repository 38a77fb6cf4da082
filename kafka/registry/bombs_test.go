package registry_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/pabal-dev/pabal/kafka/registry"
)

// repeated writes n parts with commas between them, each with its number.
func repeated(n int, part string) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = strings.ReplaceAll(part, "#", fmt.Sprint(i))
	}
	return strings.Join(parts, ",")
}

// TestSchemaBombs: every default limit refuses what was built to do harm, of both types, whatever is
// asked about it, and the registry goes on.
func TestSchemaBombs(t *testing.T) {
	s := start(t, registry.Config{Kafka: kafkatest.Start(t).Config})
	for name, test := range map[string]struct{ body, says string }{
		"a deep Avro schema":   {schema(strings.Repeat(`{"type":"array","items":`, 101) + `"int"` + strings.Repeat("}", 101)), "nested deeper than 100"},
		"a deep JSON Schema":   {jsonSchema(strings.Repeat(`{"not":`, 101) + "{}" + strings.Repeat("}", 101)), "nested deeper than 100"},
		"unclosed brackets":    {schema(strings.Repeat("[", 500_000)), "nested deeper than 100"},
		"a huge union":         {schema("[" + repeated(251, `{"type":"fixed","size":1,"name":"f#"}`) + "]"), "251 branches"},
		"a huge choice":        {jsonSchema(`{"oneOf":[` + repeated(251, `{"const":#}`) + "]}"), "251 branches"},
		"a choice deep inside": {jsonSchema(`{"properties":{"a":{"items":{"allOf":[` + repeated(251, `{}`) + "]}}}}"), "251 branches"},
		"many fields":          {schema(`{"type":"record","name":"R","fields":[` + repeated(2001, `{"name":"f#","type":"int"}`) + "]}"), "more than 2000"},
		"many symbols":         {schema(`{"type":"enum","name":"E","symbols":[` + repeated(2001, `"s#"`) + "]}"), "more than 2000"},
		"many properties":      {jsonSchema(`{"properties":{` + repeated(2001, `"p#":{}`) + "}}"), "more than 2000"},
		"many values": {schema(`{"type":"record","name":"R","fields":[` +
			repeated(30, `{"name":"f#","type":{"type":"enum","name":"E#","symbols":[`+repeated(1900, `"s#"`)+`]}}`) + "]}"), "more than 50000 values"},
		"a long text": {schema(`{"type":"record","name":"R","fields":[],"doc":"` + strings.Repeat("x", 1<<20) + `"}`), "more than 1048576"},
		"long bodies": {schema(strings.Repeat(" ", 5<<20)), "more than 4194304"},
	} {
		for _, path := range []string{"/subjects/s/versions", "/subjects/s", "/compatibility/subjects/s/versions"} {
			if status, got := s.ask(t, "POST", path, test.body); status != 422 || !strings.Contains(got, `"error_code":42209`) || !strings.Contains(got, test.says) {
				t.Errorf("%s, %s: %d %.300s", name, path, status, got)
			}
		}
	}
	if status, got := s.ask(t, "POST", "/subjects/s/versions", schema(`"int"`)); status != 200 {
		t.Errorf("afterwards: %d %s", status, got)
	}
}
