package postgres

import (
	"math/big"
	"testing"

	"github.com/pabal-dev/pabal/connect/data"
)

// TestRowID is the same for a row read twice, and another for other rows.
func TestRowID(t *testing.T) {
	number := func(n int64) data.Decimal { return data.Decimal{Unscaled: big.NewInt(n), Scale: 2} }
	variable := data.StructOf("", data.Field{Name: "scale", Schema: data.Of(data.Int32)}, data.Field{Name: "value", Schema: data.Of(data.Bytes)})
	keyed := &table{columns: []column{{name: "a"}, {name: "b"}}}
	keyed.key = []int{0, 1}
	plain := &table{columns: keyed.columns}
	for _, c := range []struct {
		t         *table
		surrogate string
		one       func() []any
		other     []any
	}{
		{keyed, "", func() []any { return []any{number(150), "x"} }, []any{number(151), "x"}},
		{keyed, "", func() []any {
			return []any{&data.Struct{Schema: variable, Values: []any{int32(1), []byte{1, 2}}}, "x"}
		}, []any{&data.Struct{Schema: variable, Values: []any{int32(1), []byte{1, 3}}}, "x"}},
		{keyed, "", func() []any { return []any{"x\x00", "y"} }, []any{"x", "\x00y"}},
		{plain, "b", func() []any { return []any{int32(1), int32(2)} }, []any{int32(1), int32(3)}},
	} {
		id := rowID(c.t, c.surrogate, c.one())
		if again := rowID(c.t, c.surrogate, c.one()); again != id {
			t.Errorf("a row is %q and %q", id, again)
		}
		if other := rowID(c.t, c.surrogate, c.other); other == id {
			t.Errorf("two rows are %q", id)
		}
	}
}
