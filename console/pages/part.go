package pages

import "sync"

// part is what an engine said for one part of a page, or why it did not.
type part[T any] struct {
	Value   T
	Problem *problem
}

// ask takes an engine's answer.
func ask[T any](v T, err error) part[T] { return part[T]{v, problemOf(err)} }

// gather fills the parts of a page at the same time and returns when all are there.
// Each ends with the page's context.
func gather(parts ...func()) {
	var wg sync.WaitGroup
	for _, f := range parts {
		wg.Go(f)
	}
	wg.Wait()
}
