package outbox

// pace is how many rows a batch may have. One that got no answer is tried again
// smaller: it may have been too much for the line, or hold a record that makes
// the broker fail as a whole.
type pace struct{ rows, most int }

func (p *pace) learn(tried int, err error) {
	if err != nil {
		p.rows = max(1, tried/2)
		return
	}
	p.rows = min(p.most, max(p.rows, 2*tried))
}
