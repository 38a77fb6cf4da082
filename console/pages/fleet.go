package pages

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
)

// service is all instances of one name.
type service struct {
	Name      string
	Instances []api.Service
	// HasOutbox says whether an instance that answered has one. Its rows are in
	// one database, so that every instance counts the same.
	HasOutbox bool
	Backlog   outbox.Backlog
	// Prefix is the tenant's: what begins the full names of its topics and groups.
	Prefix string
	// Topics its outbox is known to write, without the prefix.
	Topics []string
	// Relay is that of the instance that does most: an active one before others.
	Relay     admin.RelayStatus
	Paused    bool
	Consumers []admin.ConsumerStatus
	Waiting   int64
	// Journal says whether it has one.
	Journal bool
	// Down counts instances that did not answer.
	Down int
}

// byName joins instances, in the order of the names.
func byName(instances []api.Service) []service {
	var all []service
	for _, in := range instances {
		i := slices.IndexFunc(all, func(s service) bool { return s.Name == in.Name })
		if i < 0 {
			i, all = len(all), append(all, service{Name: in.Name})
		}
		all[i].add(in)
	}
	slices.SortFunc(all, func(a, b service) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

func (s *service) add(in api.Service) {
	s.Instances = append(s.Instances, in)
	if in.Status == nil {
		s.Down++
		return
	}
	s.Prefix = in.Status.Prefix
	s.Journal = s.Journal || in.Status.Journal
	if o := in.Status.Outbox; o != nil {
		if !s.HasOutbox || activity(o.Relay.State) > activity(s.Relay.State) {
			s.Relay = o.Relay
		}
		s.HasOutbox, s.Backlog, s.Topics = true, o.Backlog, o.Topics
		s.Paused = s.Paused || o.Relay.Paused
	}
	for _, c := range in.Status.Consumers {
		s.Waiting += c.Stats.Waiting
		i := slices.IndexFunc(s.Consumers, func(k admin.ConsumerStatus) bool { return k.Name == c.Name })
		if i < 0 {
			s.Consumers = append(s.Consumers, c)
			continue
		}
		s.Consumers[i].Stats.Waiting += c.Stats.Waiting
		s.Consumers[i].Stats.Handled += c.Stats.Handled
		s.Consumers[i].Stats.Dead += c.Stats.Dead
		s.Consumers[i].Problem = cmp.Or(s.Consumers[i].Problem, c.Problem)
	}
}

func activity(s outbox.State) int {
	return slices.Index([]outbox.State{outbox.Stopped, outbox.Connecting, outbox.Standby, outbox.Recovering, outbox.Held, outbox.Active}, s)
}

// servicesBody shows them all.
type servicesBody struct {
	part[[]api.Service]
	Services []service
}

func (h *handler) allServices(ctx context.Context) servicesBody {
	b := servicesBody{part: ask(h.Engines.Services.Services(ctx))}
	b.Services = byName(b.Value)
	return b
}

func (h *handler) services(ctx context.Context, _ *http.Request) (content, error) {
	return content{template: "services", title: "Services", section: "services", body: h.allServices(ctx)}, nil
}

// consumerBody is one consumer: where it stands and what waits.
type consumerBody struct {
	Service, Consumer string
	Topic, Key        string
	Positions         part[[]inbox.Position]
	Waiting           part[admin.WaitingPage]
	Next              string
}

func (h *handler) consumer(ctx context.Context, r *http.Request) (content, error) {
	b := consumerBody{Service: r.PathValue("service"), Consumer: r.PathValue("consumer"), Topic: param(r, "topic"), Key: param(r, "key")}
	c := content{template: "consumer", title: b.Consumer, section: "services"}
	after, err := placeParam(param(r, "after"))
	if err != nil {
		return c, err
	}
	of, err := h.Engines.Services.At(ctx, b.Service)
	if err != nil && fatal(err) {
		return c, err
	}
	if err != nil {
		b.Positions.Problem, b.Waiting.Problem = problemOf(err), problemOf(err)
		c.body = b
		return c, nil
	}
	q := inbox.WaitingQuery{Consumer: b.Consumer, Topic: b.Topic, Key: b.Key, After: after, Limit: 50}
	gather(
		func() { b.Positions = ask(of.Positions(ctx, b.Consumer)) },
		func() { b.Waiting = ask(of.Waiting(ctx, q)) },
	)
	if next := b.Waiting.Value.Next; next != nil && next.After != nil {
		b.Next = placeText(*next.After)
	}
	c.body = b
	return c, nil
}
