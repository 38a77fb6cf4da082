package local

import "sync/atomic"

// tightPercent of a budget in use: time to give something back.
const tightPercent = 85

// Budget counts bytes of many parts against one total. It is safe for use by many
// goroutines.
type Budget struct {
	total int64
	used  atomic.Int64
}

// NewBudget of total bytes.
func NewBudget(total int64) *Budget { return &Budget{total: total} }

// Add counts n bytes more, or less.
func (b *Budget) Add(n int64) { b.used.Add(n) }

// Tight says that little is left: clean entries are to be dropped, dirty ones flushed.
func (b *Budget) Tight() bool { return b.used.Load() > b.total/100*tightPercent }

// Used are the bytes counted; Total is the cap.
func (b *Budget) Used() int64 { return b.used.Load() }

// Total bytes there are.
func (b *Budget) Total() int64 { return b.total }

// Part is a part that knows its own size. It counts in b as well.
func (b *Budget) Part() *Part { return &Part{of: b} }

// Part of a Budget.
type Part struct {
	of   *Budget
	used atomic.Int64
}

// Add counts n bytes more, or less.
func (p *Part) Add(n int64) {
	p.used.Add(n)
	p.of.Add(n)
}

// Tight says that little is left of the whole budget.
func (p *Part) Tight() bool { return p.of.Tight() }

// Used are the bytes of this part.
func (p *Part) Used() int64 { return p.used.Load() }

// Release takes off what is still counted.
func (p *Part) Release() { p.of.Add(-p.used.Swap(0)) }
