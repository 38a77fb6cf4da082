package feed_test

import (
	"context"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/connect/debezium/feed"
)

// One goroutine reads a table, another takes its rows: no more of them wait than the queue has room
// for.
func ExampleQueue() {
	rows := feed.NewQueue(8, 100, func(row *string) int { return len(*row) })
	ctx := context.Background()
	go func() {
		for _, row := range []string{"first", "second", "third"} {
			if err := rows.Put(ctx, []string{row}); err != nil {
				rows.End(err)
				return
			}
		}
		rows.End(nil)
	}()
	for {
		some, ended, err := rows.Take(ctx, 1, time.Second)
		if err != nil || ended {
			fmt.Println("end", err)
			return
		}
		fmt.Println(some)
	}
	// Output:
	// [first]
	// [second]
	// [third]
	// end <nil>
}
