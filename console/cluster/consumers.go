package cluster

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
)

// consumer is one of a service: its group's truth is in the service's database.
type consumer struct {
	service string
	name    string // without prefix
	prefix  string
	topics  []string // without prefix
}

func (c consumer) group() string { return c.prefix + c.name }

func (c consumer) reads(topic string) bool {
	local, ok := strings.CutPrefix(topic, c.prefix)
	return ok && slices.Contains(c.topics, local)
}

// consumers knows the consumers of services by their group. One that was seen is
// remembered for as long as the console runs, so that a service that is away does
// not turn its groups into foreign ones.
type consumers struct {
	services api.Services
	timeout  time.Duration
	fresh    cached[[]api.Service]

	mu    *sync.Mutex
	known map[string]consumer
}

func newConsumers(c Config) consumers {
	return consumers{
		services: c.Services, timeout: c.Timeout / 2, fresh: cached[[]api.Service]{age: servicesAge},
		mu: &sync.Mutex{}, known: map[string]consumer{},
	}
}

// byGroup is all consumers of services by the full name of their group. Services
// that do not answer are no failure: what is known of them stays.
func (cs *consumers) byGroup(ctx context.Context) map[string]consumer {
	if cs.services == nil {
		return nil
	}
	found, err := cs.fresh.get(ctx, cs.timeout, cs.services.Services)
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if err == nil {
		learn(cs.known, found)
	}
	return maps.Clone(cs.known)
}

// learn adds what services say, and forgets consumers that a service of which every
// instance answered has no longer.
func learn(known map[string]consumer, all []api.Service) {
	whole := map[string]bool{}
	for _, s := range all {
		answered, asked := whole[s.Name]
		whole[s.Name] = s.Status != nil && (answered || !asked)
	}
	maps.DeleteFunc(known, func(_ string, c consumer) bool { return whole[c.service] })
	for _, c := range consumersOf(all) {
		known[c.group()] = c
	}
}

func consumersOf(all []api.Service) []consumer {
	var out []consumer
	for _, s := range all {
		if s.Status == nil {
			continue
		}
		for _, c := range s.Status.Consumers {
			out = append(out, consumer{service: s.Name, name: c.Name, prefix: s.Status.Prefix, topics: c.Topics})
		}
	}
	return out
}

// readers are the groups of services that read a topic, by name.
func (cs *consumers) readers(ctx context.Context, topic string) []string {
	out := []string{}
	for group, c := range cs.byGroup(ctx) {
		if c.reads(topic) {
			out = append(out, group)
		}
	}
	slices.SortFunc(out, cmp.Compare)
	return out
}

// at is the service's own API.
func (cs *consumers) at(ctx context.Context, service string) (admin.API, error) {
	if cs.services == nil {
		return nil, fmt.Errorf("%w: no service %s is known", api.ErrNotFound, service)
	}
	return cs.services.At(ctx, service)
}
