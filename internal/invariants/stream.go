package invariants

import (
	"context"
	"errors"

	"github.com/pabal-dev/pabal/storage"
)

// stream reads things sorted by their key, one ahead.
type stream[T interface{ key() string }] struct {
	rows storage.Rows
	// read reads a row; more says that it belongs to the thing before it, which
	// is the result with the row added.
	read   func(r storage.Row, before *T) (thing T, more bool, err error)
	ahead  *T // complete
	next   *T // begun, perhaps with more rows to come
	failed error
	last   string
}

func openStream[T interface{ key() string }](ctx context.Context, q storage.Querier, query string, read func(storage.Row, *T) (T, bool, error)) (*stream[T], error) {
	rows, err := q.Query(ctx, query)
	if err != nil {
		return nil, err
	}
	s := &stream[T]{rows: rows, read: read}
	s.advance()
	return s, nil
}

// advance completes the next thing.
func (s *stream[T]) advance() {
	s.ahead = nil
	for s.failed == nil && s.rows.Next() {
		thing, more, err := s.read(s.rows, s.next)
		if err != nil {
			s.failed = err
			return
		}
		done := s.next
		s.next = &thing
		if done != nil && !more {
			s.set(done)
			return
		}
	}
	if s.failed == nil && s.next != nil {
		s.set(s.next)
		s.next = nil
	}
}

func (s *stream[T]) set(thing *T) {
	key := (*thing).key()
	if key <= s.last {
		s.failed = unsorted(s.last, key)
		return
	}
	s.ahead, s.last = thing, key
}

// peekID is the next key, "" at the end.
func (s *stream[T]) peekID() string {
	if s.ahead == nil {
		return ""
	}
	return (*s.ahead).key()
}

// take returns the next thing where it has that key, else nil.
func (s *stream[T]) take(id string) *T {
	if s.peekID() != id {
		return nil
	}
	thing := s.ahead
	s.advance()
	return thing
}

func (s *stream[T]) err() error { return errors.Join(s.failed, s.rows.Err()) }

func (s *stream[T]) close() { _ = s.rows.Close() }

// merge calls fn once for every key that any of the two has; what one has not is nil.
func merge[A, B interface{ key() string }](as *stream[A], bs *stream[B], fn func(*A, *B) error) error {
	for {
		id, ok := least(as.peekID(), bs.peekID())
		if !ok {
			return errors.Join(as.err(), bs.err())
		}
		if err := fn(as.take(id), bs.take(id)); err != nil {
			return err
		}
	}
}
