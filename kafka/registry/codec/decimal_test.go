package codec_test

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/kafka/registry/client"
	"github.com/pabal-dev/pabal/kafka/registry/codec"
)

const (
	inBytes = `{"type":"bytes","logicalType":"decimal","precision":%d,"scale":%d}`
	inFixed = `{"type":"fixed","name":"F","size":8,"logicalType":"decimal","precision":%d,"scale":%d}`
)

// TestOtherDecimals: a registry lets other digits of a decimal pass, but what was written with them is
// an error that says so where the codec has its own, and never another amount.
func TestOtherDecimals(t *testing.T) {
	c, _ := start(t)
	for i, place := range []string{inBytes, inFixed, `["null",` + inBytes + `]`, `["string",` + inFixed + `]`, `{"type":"array","items":` + inBytes + `}`, `{"type":"map","values":["null",` + inBytes + `]}`} {
		schema := func(precision, scale int) client.Schema {
			return client.Schema{Text: `{"type":"record","name":"Price","fields":[{"name":"of","type":` + fmt.Sprintf(place, precision, scale) + `}]}`}
		}
		subject := func(string, bool, string) (string, error) { return fmt.Sprint("price", i), nil }
		of := func(precision, scale int) *codec.Codec[map[string]any] {
			return must[*codec.Codec[map[string]any]](t)(codec.Avro[map[string]any](codec.Config{Registry: c, Subject: subject, Schema: schema(precision, scale)}))
		}
		var value any = big.NewRat(1234, 100)
		if strings.Contains(place, "array") {
			value = []any{value}
		} else if strings.Contains(place, "map") {
			value = map[string]any{"a": value}
		}
		was := of(9, 2)
		b := must[[]byte](t)(was.Encode(t.Context(), "prices", map[string]any{"of": value}))
		if got, err := was.Decode(t.Context(), b); err != nil || !strings.Contains(fmt.Sprint(got["of"]), "617/50") {
			t.Errorf("%s: %v %v", place, got, err)
		}
		for _, other := range [][2]int{{9, 3}, {12, 2}, {5, 2}} {
			now := of(other[0], other[1])
			if _, err := now.Encode(t.Context(), "prices", map[string]any{"of": value}); err != nil {
				t.Errorf("%s as %v is refused by the registry: %v", place, other, err)
			}
			got, err := now.Decode(t.Context(), b)
			says := fmt.Sprintf("reader decimal(%d,%d) vs writer decimal(9,2)", other[0], other[1])
			if err == nil || len(got) > 0 || !strings.Contains(err.Error(), says) {
				t.Errorf("%s: %v %v, want %s", place, got, err, says)
			}
		}
	}
}
