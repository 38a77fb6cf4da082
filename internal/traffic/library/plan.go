package library

import (
	"math/rand/v2"
	"time"

	"github.com/pabal-dev/pabal/internal/traffic"
)

// Kinds of rents, and what becomes of them.
const (
	Keep          traffic.Kind = "keep"           // rented, and not returned
	Return        traffic.Kind = "return"         // rented and returned
	Late          traffic.Kind = "late"           // overdue, returned, and the fee paid with points
	TooPoor       traffic.Kind = "too-poor"       // the same, without the points: the fee comes back
	Contested     traffic.Kind = "contested"      // two members want one book at the same time
	UnknownBook   traffic.Kind = "unknown-book"   // compensated: the member's points
	UnknownMember traffic.Kind = "unknown-member" // compensated: the book
	Twice         traffic.Kind = "twice"          // the same request at the same time
)

// shares are how many of a hundred stories are of each kind.
var shares = []struct {
	kind    traffic.Kind
	percent int
}{
	{Keep, 8}, {Return, 54}, {Late, 8}, {TooPoor, 3}, {Contested, 10}, {UnknownBook, 6}, {UnknownMember, 5}, {Twice, 6},
}

// Intent is one story: a rent, and what follows from it.
type Intent struct {
	Kind traffic.Kind
	// Number makes what the story needs unique.
	Number int64
	// Keeps is how long the book is kept.
	Keeps time.Duration
	// DaysLate of an overdue book.
	DaysLate int
}

// Plan is the sequence of stories of one seed; the same seed gives the same sequence,
// whatever the services answer.
type Plan struct {
	random *rand.Rand
	number int64
}

// NewPlan begins with story 1.
func NewPlan(seed uint64) *Plan { return &Plan{random: rand.New(rand.NewPCG(seed, 0x11b4a))} }

// Next is the next story.
func (p *Plan) Next() Intent {
	p.number++
	in := Intent{Kind: p.kind(), Number: p.number, Keeps: time.Duration(p.random.IntN(100)) * time.Millisecond, DaysLate: 1}
	if in.Kind == TooPoor {
		in.DaysLate = 100 + p.random.IntN(100)
	}
	return in
}

func (p *Plan) kind() traffic.Kind {
	n := p.random.IntN(100)
	for _, s := range shares {
		if n < s.percent {
			return s.kind
		}
		n -= s.percent
	}
	return Return
}
