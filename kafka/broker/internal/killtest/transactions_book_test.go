package killtest

import (
	"fmt"
	"slices"
	"sync"
)

// outcome is what the producer of a transaction was told.
type outcome int

const (
	aborted outcome = iota // or given up, before anybody asked for a commit
	doubtful
	committed
)

func (o outcome) String() string { return [...]string{"aborted", "doubtful", "committed"}[o] }

// transactionBook is of producers that number their transactions. It is safe for
// concurrent use.
type transactionBook struct {
	mu  sync.Mutex
	all map[transactionKey]*transaction
}

type transactionKey struct {
	writer string
	number int
}

func (k transactionKey) String() string { return fmt.Sprintf("%s/%d", k.writer, k.number) }

type transaction struct {
	of      int // records
	outcome outcome
	over    bool // its producer has left it
}

func newTransactionBook() *transactionBook {
	return &transactionBook{all: map[transactionKey]*transaction{}}
}

// begin notes a transaction, which is aborted until its end says more.
func (b *transactionBook) begin(writer string, number, of int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all[transactionKey{writer, number}] = &transaction{of: of}
}

func (b *transactionBook) end(writer string, number int, o outcome) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all[transactionKey{writer, number}].outcome = o
}

// leave notes that nothing more is done for a transaction, however it ended.
func (b *transactionBook) leave(writer string, number int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all[transactionKey{writer, number}].over = true
}

// counts those that their producers have left.
func (b *transactionBook) counts() (n [committed + 1]int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, t := range b.all {
		if t.over {
			n[t.outcome]++
		}
	}
	return n
}

// check compares what readers of committed records see of all topics with the book.
func (b *transactionBook) check(f *findings, topics ...content) {
	b.mu.Lock()
	defer b.mu.Unlock()
	parts := map[transactionKey][]int{}
	for _, c := range topics {
		b.collect(f, c, parts)
	}
	for key, t := range b.all {
		seen := parts[key]
		slices.Sort(seen)
		once := slices.Compact(slices.Clone(seen))
		if len(once) != len(seen) {
			f.add(duplicated, "%s: parts %v", key, seen)
		}
		switch {
		case len(once) == 0 && t.outcome == committed:
			f.add(lost, "%s: a commit that was acknowledged", key)
		case len(once) > 0 && t.outcome == aborted:
			f.add(wrong, "%s: it was aborted, and %d of %d records are seen", key, len(once), t.of)
		case len(once) > 0 && len(once) < t.of:
			f.add(torn, "%s (%v): %d of %d records are seen", key, t.outcome, len(once), t.of)
		}
	}
}

// collect adds the parts seen in a topic, and finds transactions of a writer that are out of
// order.
func (b *transactionBook) collect(f *findings, c content, parts map[transactionKey][]int) {
	type turn struct {
		partition int32
		writer    string
	}
	last := map[turn]message{}
	c.messages(f, func(r record, m message) {
		key := transactionKey{m.Writer, m.Txn}
		parts[key] = append(parts[key], m.Part)
		if t := b.all[key]; t == nil || t.of != m.Of || m.Part < 1 || m.Part > m.Of {
			f.add(wrong, "%s: part %d of %d at %s was never sent", key, m.Part, m.Of, placeOf(r))
		}
		at := turn{r.partition, m.Writer}
		if before := last[at]; m.Txn < before.Txn || m.Txn == before.Txn && m.Part < before.Part {
			f.add(reordered, "%s: part %d at %s comes after part %d of transaction %d", key, m.Part, placeOf(r), before.Part, before.Txn)
		}
		last[at] = m
	})
}
