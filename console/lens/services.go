package lens

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
)

// services asks those that announced themselves, and remembers what they said: a
// service that died is still one that owes an answer.
type services struct {
	config Config

	rounds

	mu    sync.Mutex
	known map[string]remembered
	fresh bool // one of them was not stored yet
}

// remembered is what a service was when it last answered.
type remembered struct {
	Name      string       `json:"name"`
	Source    string       `json:"source,omitempty"`
	Consumers []membership `json:"consumers,omitempty"`
	Seen      time.Time    `json:"seen"`
}

// membership is a consumer of a service, by names without the prefix.
type membership struct {
	Name            string              `json:"name"`
	Topics          []string            `json:"topics"`
	DeadLetterTopic string              `json:"deadLetterTopic,omitempty"`
	Answers         map[string][]string `json:"answers,omitempty"`
}

func newServices(c Config) *services {
	return &services{config: c, rounds: rounds{services: c.Services, now: c.Clock}, known: map[string]remembered{}}
}

// look is what the services said at one time.
type look struct {
	// services by name; those remembered and not announced are there as away.
	services []serviceFact
	notes    []string
}

// serviceFact is a service and what its instances said.
type serviceFact struct {
	remembered
	// away says why it cannot be asked; "" where it can.
	away   string
	relays []relayFact
	outbox *admin.OutboxStatus
	// problems of its consumers, by name.
	problems map[string]string
	sagas    bool // it has some
}

// relayFact is the relay of one instance.
type relayFact struct {
	instance string
	admin.RelayStatus
}

// all asks for the services, within that time: one that hangs must leave time to ask
// the others for more.
func (s *services) all(ctx context.Context, within time.Duration) look {
	if s.config.Services == nil {
		return look{}
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	var l look
	list, err := s.list(ctx)
	if err != nil {
		l.notes = append(l.notes, err.Error())
	}
	byName := map[string]*serviceFact{}
	for _, instance := range list {
		f := byName[instance.Name]
		if f == nil {
			f = &serviceFact{remembered: remembered{Name: instance.Name, Seen: instance.Seen}, away: "it does not answer"}
			byName[instance.Name] = f
		}
		f.join(instance)
	}
	s.keep(byName)
	for _, f := range byName {
		l.services = append(l.services, *f)
		if f.away != "" {
			l.notes = append(l.notes, fmt.Sprintf("service %s is away: %s", f.Name, f.away))
		}
	}
	slices.SortFunc(l.services, func(a, b serviceFact) int { return cmp.Compare(a.Name, b.Name) })
	slices.Sort(l.notes)
	return l
}

// join adds what an instance said.
func (f *serviceFact) join(i api.Service) {
	if i.Status == nil {
		if f.relays == nil && len(f.Consumers) == 0 && i.Problem != "" {
			f.away = i.Problem
		}
		return
	}
	f.away = ""
	f.Seen = i.Seen
	f.sagas = f.sagas || i.Status.HasSagas
	if box := i.Status.Outbox; box != nil {
		f.Source = box.Source
		f.relays = append(f.relays, relayFact{i.Instance, box.Relay})
		f.outbox = box
	}
	for _, c := range i.Status.Consumers {
		if c.Problem != "" {
			if f.problems == nil {
				f.problems = map[string]string{}
			}
			f.problems[c.Name] = c.Problem
		}
		if !slices.ContainsFunc(f.Consumers, func(m membership) bool { return m.Name == c.Name }) {
			f.Consumers = append(f.Consumers, membership{c.Name, c.Topics, c.DeadLetterTopic, c.Answers})
		}
	}
}

// keep remembers those that answered, and adds those that do not from memory.
func (s *services) keep(byName map[string]*serviceFact) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.config.Clock()
	for name, f := range byName {
		if f.away == "" {
			f.Seen = now.UTC()
			if _, ok := s.known[name]; !ok {
				s.fresh = true
			}
			s.known[name] = f.remembered
		} else if known, ok := s.known[name]; ok {
			f.remembered = known
		}
	}
	for name, known := range s.known {
		switch _, announced := byName[name]; {
		case announced:
		case now.Sub(known.Seen) > s.config.Window:
			delete(s.known, name)
		default:
			byName[name] = &serviceFact{remembered: known, away: "no instance has announced itself of late; it answered last at " +
				known.Seen.UTC().Format(time.RFC3339)}
		}
	}
}

// acquaintEvery is how often services are asked where nobody wants to know.
const acquaintEvery = 15 * time.Second

// acquaint asks for the services now and then until ctx ends, so that one which goes
// away before anybody looked is remembered all the same.
func (s *services) acquaint(ctx context.Context, every time.Duration) {
	for wait := every / 10; ; wait = every {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
			s.all(ctx, s.config.AskTimeout)
		}
	}
}

// news says once that there is a service which was not known before.
func (s *services) news() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.fresh
	s.fresh = false
	return was
}

// remember takes over what an earlier run knew.
func (s *services) remember(list []remembered) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range list {
		if _, ok := s.known[r.Name]; !ok {
			s.known[r.Name] = r
		}
	}
}

// memory is what is to be stored, by name.
func (s *services) memory() []remembered {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]remembered, 0, len(s.known))
	for _, r := range s.known {
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b remembered) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// at is a service's own API.
func (s *services) at(ctx context.Context, name string) (admin.API, error) {
	if s.config.Services == nil {
		return nil, api.ErrNotFound
	}
	return s.config.Services.At(ctx, name)
}
