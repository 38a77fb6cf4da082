package incremental_test

import (
	"fmt"

	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/debezium/incremental"
)

// A chunk of two rows, one of which the stream changes while it is read.
func Example() {
	s := incremental.New(incremental.Config{Limit: 1024})
	orders := debezium.TableID{Schema: "public", Table: "orders"}
	s.Execute("1", debezium.ExecuteSnapshot{Tables: []string{"public.orders"}}, []debezium.TableID{orders}, func(name string) (debezium.TableID, bool) {
		return debezium.ParseTableID(name, false)
	})

	chunk, _ := s.Next() // the source writes chunk.OpenID(), reads, and writes chunk.CloseID()
	s.Read(incremental.Result{ID: chunk.ID, Until: incremental.Key{"2"}, Rows: []incremental.Row{
		{Key: incremental.Key{"1"}, ID: "1", Values: []any{"first"}},
		{Key: incremental.Key{"2"}, ID: "2", Values: []any{"second"}},
	}})
	// What comes by in the stream.
	s.Open(chunk.OpenID())
	s.Changed(orders, "2")
	for _, e := range s.Close(chunk.CloseID()) {
		fmt.Println(e.Table, e.Row.Key, e.Row.Values)
	}
	// Output: public.orders [1] [first]
}
