package hotel

import (
	"math/rand/v2"
	"time"

	"github.com/pabal-dev/pabal/internal/traffic"
)

// Kinds of reservations, and what keeps them going.
const (
	Plain        traffic.Kind = "plain"          // ends confirmed
	CancelAtOnce traffic.Kind = "cancel-at-once" // perhaps before the room service knows of it
	CancelLater  traffic.Kind = "cancel-later"   // after it was confirmed, mostly
	CancelTwice  traffic.Kind = "cancel-twice"   // at the same time
	LastRooms    traffic.Kind = "last-rooms"     // of a room that runs out: either end is right
	UnknownRoom  traffic.Kind = "unknown-room"
	FullHouse    traffic.Kind = "full-house" // of a room that has none

	NewRoom  traffic.Kind = "new-room"
	NewStock traffic.Kind = "new-stock"
)

// MustBeRefused says whether a reservation of that kind may never be confirmed.
func MustBeRefused(k traffic.Kind) bool { return k == UnknownRoom || k == FullHouse }

// MustBeConfirmed says whether one of that kind may never be refused: there are always
// rooms, and nobody cancels.
func MustBeConfirmed(kind string) bool { return traffic.Kind(kind) == Plain }

// shares are how many of a hundred reservations are of each kind.
var shares = []struct {
	kind    traffic.Kind
	percent int
}{
	{Plain, 66}, {CancelAtOnce, 8}, {CancelLater, 10}, {CancelTwice, 3}, {LastRooms, 6}, {UnknownRoom, 4}, {FullHouse, 3},
}

// Intent is one thing the traffic will do. Rooms are numbered; the world knows the ids
// that the service gave them.
type Intent struct {
	Kind   traffic.Kind
	Room   int
	Member int64
	In     time.Time
	Nights int
	// CancelAfter is how long the member takes to cancel.
	CancelAfter time.Duration
	// Count of a new room, or of new stock.
	Count int64
}

// IsReservation tells reservations from what keeps them going.
func (i Intent) IsReservation() bool { return i.Kind != NewRoom && i.Kind != NewStock }

// cancels says whether the member changes their mind.
func (i Intent) cancels() bool {
	return i.Kind == CancelAtOnce || i.Kind == CancelLater || i.Kind == CancelTwice
}

// The hotel. The last two rooms are the scarce one and the one that there is none of.
const (
	rooms          = 6
	scarce         = rooms - 2
	full           = rooms - 1
	plenty         = 50_000 // of a kind
	fewest         = 2      // of the scarce one
	days           = 365
	mostNights     = 4
	members        = 1000
	staysPerRefill = 200
)

// firstDay anybody wishes for.
var firstDay = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// countOf is how many rooms of a kind there are at first.
func countOf(room int) int64 {
	switch room {
	case scarce:
		return fewest
	case full:
		return 0
	}
	return plenty
}

// Plan is the sequence of intents of one seed; the same seed gives the same sequence,
// whatever the services answer.
type Plan struct {
	random *rand.Rand
	// left is what would be free at least if every reservation so far had all of its
	// nights in one.
	left  [rooms]int64
	stays int
	next  []Intent
}

// NewPlan begins with an empty hotel.
func NewPlan(seed uint64) *Plan {
	p := &Plan{random: rand.New(rand.NewPCG(seed, 0x407e1))}
	for room := range rooms {
		p.left[room] = countOf(room)
	}
	return p
}

// Next is the next intent.
func (p *Plan) Next() Intent {
	if len(p.next) == 0 {
		p.next = append(p.next, p.stay())
		p.refill()
	}
	first := p.next[0]
	p.next = p.next[1:]
	return first
}

func (p *Plan) stay() Intent {
	p.stays++
	in := Intent{
		Kind: p.kind(), Room: p.random.IntN(scarce), Member: 1 + p.random.Int64N(members),
		In: firstDay.AddDate(0, 0, p.random.IntN(days)), Nights: 1 + p.random.IntN(mostNights),
	}
	switch in.Kind {
	case CancelAtOnce:
		in.CancelAfter = time.Duration(p.random.IntN(8)) * time.Millisecond
	case CancelLater, CancelTwice:
		in.CancelAfter = time.Duration(20+p.random.IntN(300)) * time.Millisecond
	case LastRooms:
		in.Room, in.In = scarce, firstDay.AddDate(0, 0, p.random.IntN(30))
	case FullHouse:
		in.Room = full
	}
	p.left[in.Room]--
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
	return Plain
}

// refill opens new rooms in good time, and changes the stock of others while stays come
// and go.
func (p *Plan) refill() {
	for room := range scarce {
		if p.left[room] < plenty/2 {
			p.left[room] = plenty
			p.next = append(p.next, Intent{Kind: NewRoom, Room: room, Count: plenty})
		}
	}
	switch {
	case p.stays%staysPerRefill == 0:
		p.next = append(p.next, Intent{Kind: NewRoom, Room: scarce, Count: fewest})
	case p.stays%staysPerRefill == staysPerRefill/2: // more or fewer; fewer than are taken are refused
		p.next = append(p.next, Intent{Kind: NewStock, Room: scarce, Count: 1 + p.random.Int64N(4)})
	}
}
