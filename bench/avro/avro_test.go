package avro

import (
	"fmt"
	"os"
	"testing"

	"github.com/twmb/avro"

	"github.com/pabal-dev/pabal/internal/testservers"
)

// TestRun measures next to nothing: every side writes and reads all events.
func TestRun(t *testing.T) {
	if _, err := testservers.FindConfluentJava(); err != nil {
		t.Skip(err)
	}
	figures, err := Run(t.Context(), []string{"-rounds=1", "-orders=9", "-pace=1ms", "-warm=0"}, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"size_ratio_json", "encode_per_s", "decode_per_s", "ratio_json", "ratio_java"} {
		if figures[name] <= 0 {
			t.Errorf("%s is %v", name, figures[name])
		}
	}
}

// TestSchemas are those of the example, but for names of records and defaults.
func TestSchemas(t *testing.T) {
	e, err := newEvents(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	for i, topic := range []string{"payment-request", "payment-response", "order-approval-request", "order-approval-response", "order-changed"} {
		text, err := os.ReadFile("../../examples/orders/message/" + topic + ".avsc")
		if err != nil {
			t.Fatal(err)
		}
		got, want := shape(avro.MustParse(e.kinds[i].schema()).Root()), shape(avro.MustParse(string(text)).Root())
		if got != want {
			t.Errorf("%s is %s here, and there\n%s", topic, got, want)
		}
	}
}

func shape(n *avro.SchemaNode) string {
	if n == nil {
		return ""
	}
	out := fmt.Sprint(n.Type, n.LogicalType, n.Size, n.Symbols, shape(n.Items))
	for _, f := range n.Fields {
		out += fmt.Sprintf("\n%s: %s", f.Name, shape(&f.Type))
	}
	for i := range n.Branches {
		out += " | " + shape(&n.Branches[i])
	}
	return out
}
