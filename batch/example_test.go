package batch_test

import (
	"context"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/batch"
)

// The bulk processor: a batch of three is full; what is less waits three seconds,
// or until somebody drains.
func ExampleBatcher() {
	ctx := context.Background()
	bulk := batch.New(batch.Config[string]{MaxItems: 3, Linger: 3 * time.Second},
		func(_ context.Context, greetings []string) ([]batch.Result[int], error) {
			fmt.Println("flush", greetings)
			lengths := make([]batch.Result[int], len(greetings))
			for i, greeting := range greetings {
				lengths[i].Value = len(greeting)
			}
			return lengths, nil
		})
	if err := bulk.Start(ctx); err != nil {
		panic(err)
	}
	defer bulk.Stop(ctx)

	var results []<-chan batch.Result[int]
	for _, greeting := range []string{"hello", "annyeong", "hola", "bonjour"} {
		result, err := bulk.Submit(ctx, greeting)
		if err != nil {
			panic(err)
		}
		results = append(results, result)
	}
	if err := bulk.Drain(ctx); err != nil {
		panic(err)
	}
	for _, result := range results {
		fmt.Print((<-result).Value, " ")
	}
	// Output:
	// flush [hello annyeong hola]
	// flush [bonjour]
	// 5 8 4 7
}
