package batch

// maxSpare bounds the lanes kept for later keys.
const maxSpare = 1024

func (m *machine[E]) laneOf(key string) *lane[E] {
	if key == "" {
		return &m.shared
	}
	l, ok := m.lanes[key]
	if !ok {
		l = m.newLane()
		l.key = key
		m.lanes[key] = l
	}
	return l
}

func (m *machine[E]) newLane() *lane[E] {
	n := len(m.spare)
	if n == 0 {
		return &lane[E]{}
	}
	l := m.spare[n-1]
	m.spare = m.spare[:n-1]
	return l
}

// forget drops a lane that is empty.
func (m *machine[E]) forget(l *lane[E]) {
	delete(m.lanes, l.key)
	l.key = ""
	if len(m.spare) < maxSpare && l.items.small() {
		m.spare = append(m.spare, l)
	}
}

// abandon appends the lane's items to all.
func (l *lane[E]) abandon(all []E) []E {
	for l.items.len() > 0 {
		all = append(all, l.items.pop().item)
	}
	l.bytes = 0
	return all
}

// queue is first in, first out. Its memory is used again.
type queue[T any] struct {
	ring  []T
	start int
	n     int
}

func (q *queue[T]) len() int { return q.n }

// small says that keeping its memory costs little.
func (q *queue[T]) small() bool { return len(q.ring) <= 16 }

func (q *queue[T]) push(v T) {
	if q.n == len(q.ring) {
		grown := make([]T, max(4, 2*q.n))
		n := copy(grown, q.ring[q.start:])
		copy(grown[n:], q.ring[:q.start])
		q.ring, q.start = grown, 0
	}
	q.ring[(q.start+q.n)%len(q.ring)] = v
	q.n++
}

// first is the oldest; there must be one. It is valid until the queue changes.
func (q *queue[T]) first() *T { return &q.ring[q.start] }

func (q *queue[T]) pop() T {
	v := q.ring[q.start]
	var none T
	q.ring[q.start] = none
	q.start = (q.start + 1) % len(q.ring)
	q.n--
	return v
}
