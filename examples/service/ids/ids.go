// Package ids gives out numbers as ids, each once: 1, 2, 3, with gaps where a process
// ended. They are made outside of the transactions that use them, so that one that is
// run again inserts the same.
package ids

import (
	"context"
	"fmt"
	"sync"

	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/storage"
)

// block is how many a process takes at a time.
const block = 100

// Numbers are given out by any goroutine. The table "ids" has a row of their name.
type Numbers struct {
	env  service.Env
	name string

	mu         sync.Mutex
	next, last int64
}

// New returns those of that name.
func New(env service.Env, name string) *Numbers { return &Numbers{env: env, name: name, next: 1} }

// Next is one that was never given out.
func (n *Numbers) Next(ctx context.Context) (int64, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.next > n.last {
		if err := n.take(ctx); err != nil {
			return 0, err
		}
	}
	n.next++
	return n.next - 1, nil
}

// take takes the next block for this process.
func (n *Numbers) take(ctx context.Context) error {
	var last int64
	err := n.env.Update(ctx, func(tx storage.Tx) error {
		return tx.QueryRow(ctx, `UPDATE ids SET last_id = last_id + $1 WHERE name = $2 RETURNING last_id`, int64(block), n.name).Scan(&last)
	})
	if err != nil {
		return fmt.Errorf("take ids of %s: %w", n.name, err)
	}
	n.next, n.last = last-block+1, last
	return nil
}
