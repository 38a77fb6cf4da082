package hello

import (
	"math/rand/v2"
	"net/http"

	"github.com/pabal-dev/pabal/internal/invariants"
)

// names is how many people there are in each variant.
const names = 40

// kind of a command.
type kind int

const (
	greet kind = iota
	mumble
	anger
	cheer
	reset
	forget
	askCount
	askTotal
	kinds
)

// weights are of 100.
var weights = [kinds]int{greet: 52, mumble: 6, anger: 5, cheer: 9, reset: 6, forget: 6, askCount: 8, askTotal: 8}

// intent is what is sent to whom.
type intent struct {
	name, variant int
	kind          kind
}

// plan is the same for the same seed.
type plan struct{ random *rand.Rand }

func newPlan(seed uint64) plan { return plan{rand.New(rand.NewPCG(seed, 0x4e110))} }

func (p plan) next() intent {
	i := intent{name: p.random.IntN(names), variant: p.random.IntN(len(variants))}
	for n := p.random.IntN(100); n >= weights[i.kind]; i.kind++ {
		n -= weights[i.kind]
	}
	return i
}

// request is the method, what follows the id, and the body.
func (k kind) request() (method, at string, body any) {
	switch k {
	case greet:
		return http.MethodPost, "/hello", map[string]string{"message": "Hello"}
	case mumble:
		return http.MethodPost, "/hello", map[string]string{"message": "Hm"}
	case anger:
		return http.MethodPut, "/state", map[string]string{"state": "ANGRY"}
	case cheer:
		return http.MethodPut, "/state", map[string]string{"state": "HAPPY"}
	case reset:
		return http.MethodPost, "/reset", nil
	case forget:
		return http.MethodDelete, "", nil
	case askCount:
		return http.MethodGet, "/count", nil
	}
	return http.MethodGet, "/total-count", nil
}

// model is what is known of somebody from the answers.
type model struct {
	exists, happy bool
	count, total  int64
}

// expected is an answer.
type expected struct {
	message string
	count   *int64
	refused bool
}

const kotlin = "Kotlin"

// after is the state after a command, and what it must be answered.
func (m model) after(k kind) (model, expected) {
	switch {
	case k == greet && m.happy:
		m.exists, m.count, m.total = true, m.count+1, m.total+1
		return m, expected{message: kotlin}
	case (k == greet || k == mumble) && !m.happy:
		return m, expected{message: "Don't talk to me!"}
	case k == mumble:
		return m, expected{refused: true}
	case k == anger:
		m.exists, m.happy = true, false
		return m, expected{message: "I am ANGRY"}
	case k == cheer:
		m.exists, m.happy = m.exists || !m.happy, true
		return m, expected{message: "I am HAPPY"}
	case k == reset:
		m.count = 0
		return m, expected{count: new(int64)}
	case k == forget:
		return model{happy: true}, expected{message: "Bye"}
	case k == askCount:
		return m, expected{count: &m.count}
	}
	return m, expected{count: &m.total}
}

// left is what must be in the topic.
func (m model) left(slack int64) invariants.HelloState {
	s := invariants.HelloState{Exists: m.exists, Mood: "ANGRY", Count: m.count, Total: m.total, Slack: slack}
	if m.happy {
		s.Mood = "HAPPY"
	}
	return s
}
