package outbox

import "slices"

// search publishes a batch as few groups as it can and finds, by halving, the
// rows that Kafka refuses. Rows of a key keep their order: behind a row set
// aside they are left out.
type search struct{ groups [][]Row }

func newSearch(rows []Row) *search {
	s := &search{}
	s.push(rows)
	return s
}

// next is the group to publish, nil at the end.
func (s *search) next() []Row {
	if len(s.groups) == 0 {
		return nil
	}
	return s.groups[0]
}

// published says that the group is in the log.
func (s *search) published() { s.groups = s.groups[1:] }

// refused says that the group is not, because some of the rows named (by their
// place in it) cannot be. It returns the row to set aside once there is only
// one it can be; the group is then tried again without that one and its
// followers, which stay in the outbox.
func (s *search) refused(suspects []int) (culprit Row, found bool) {
	group := s.groups[0]
	if len(suspects) == 0 {
		suspects = all(len(group))
	}
	if len(suspects) == 1 {
		culprit = group[suspects[0]]
		s.leaveOut(func(r Row) bool { return r.ID == culprit.ID || follows(r, culprit) })
		return culprit, true
	}
	innocent, rest := divide(group, suspects)
	s.groups = s.groups[1:]
	half := len(rest) / 2
	s.push(rest[half:])
	s.push(rest[:half])
	s.push(innocent)
	return Row{}, false
}

// leaveOut drops rows from what is still to be published.
func (s *search) leaveOut(which func(Row) bool) {
	groups := s.groups
	s.groups = nil
	for _, g := range slices.Backward(groups) {
		s.push(slices.DeleteFunc(slices.Clone(g), which))
	}
}

func (s *search) push(group []Row) {
	if len(group) > 0 {
		s.groups = append([][]Row{group}, s.groups...)
	}
}

// divide splits a group into rows that can go at once and the suspects with
// the rows behind them.
func divide(group []Row, suspects []int) (innocent, rest []Row) {
	blocked := map[TopicKey]bool{}
	suspected := make([]bool, len(group))
	for _, i := range suspects {
		suspected[i] = true
	}
	for i, r := range group {
		if suspected[i] || blocked[r.place()] {
			rest = append(rest, r)
			if r.Key != "" {
				blocked[r.place()] = true
			}
			continue
		}
		innocent = append(innocent, r)
	}
	return innocent, rest
}

func all(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// place is the row's key within its topic.
func (r Row) place() TopicKey { return TopicKey{r.Topic, r.Key} }

func follows(r, first Row) bool {
	return r.Key != "" && r.place() == first.place() && r.ID > first.ID
}
