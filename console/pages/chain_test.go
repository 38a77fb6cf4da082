package pages

import (
	"reflect"
	"slices"
	"testing"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
)

// instance is one of a service that writes to some topics and reads others.
func instance(name, id string, relay outbox.State, writes []string, consumers ...admin.ConsumerStatus) api.Service {
	return api.Service{Name: name, Instance: id, Status: &admin.Status{
		Name: name, Prefix: "shop.", Consumers: consumers,
		Outbox: &admin.OutboxStatus{Topics: writes, Backlog: outbox.Backlog{Started: 4}, Relay: admin.RelayStatus{State: relay}},
	}}
}

func reader(name string, waiting int64, topics ...string) admin.ConsumerStatus {
	return admin.ConsumerStatus{Name: name, Topics: topics, Stats: inbox.Stats{Handled: 5, Waiting: waiting}}
}

func TestByName(t *testing.T) {
	all := byName([]api.Service{
		instance("stock", "2", outbox.Standby, []string{"reserved"}, reader("stock", 2, "orders")),
		{Name: "mail", Instance: "1", Problem: "away"},
		instance("stock", "1", outbox.Active, []string{"reserved"}, reader("stock", 3, "orders")),
		{Name: "stock", Instance: "3", Problem: "away"},
	})
	if len(all) != 2 || all[0].Name != "mail" || all[1].Name != "stock" {
		t.Fatalf("%+v", all)
	}
	if mail := all[0]; mail.Down != 1 || mail.HasOutbox || len(mail.Instances) != 1 {
		t.Errorf("%+v", mail)
	}
	stock := all[1]
	if stock.Down != 1 || len(stock.Instances) != 3 || stock.Relay.State != outbox.Active || stock.Backlog.Started != 4 {
		t.Errorf("instances share one outbox, and the active relay counts: %+v", stock)
	}
	if len(stock.Consumers) != 1 || stock.Consumers[0].Stats.Handled != 10 || stock.Waiting != 5 {
		t.Errorf("the consumer of two instances: %+v, %d wait", stock.Consumers, stock.Waiting)
	}
}

func TestChain(t *testing.T) {
	orders := instance("orders", "1", outbox.Active, []string{"orders"})
	payment := instance("payment", "1", outbox.Held, nil, reader("payment", 0, "orders"))
	payment.Status.Consumers[0].Answers = map[string][]string{"orders": {"paid"}}
	stock := instance("stock", "1", outbox.Standby, nil, reader("stock", 2, "orders", "paid", "elsewhere"))
	mail := api.Service{Name: "mail", Problem: "away"}
	c := chainOf(byName([]api.Service{stock, payment, mail, orders}))

	type line struct{ kind, name, state, label string }
	var got []line
	for _, n := range c.Nodes {
		got = append(got, line{n.Kind, n.Name, n.State, n.Label})
	}
	want := []line{
		{"service", "mail", "away", "does not answer"},
		{"service", "orders", "ok", "relay active, 4 pending"},
		{"service", "payment", "held", "relay held, 4 pending"},
		{"service", "stock", "ok", "relay standby, 4 pending"},
		{"topic", "shop.elsewhere", "", ""}, {"topic", "shop.orders", "", ""}, {"topic", "shop.paid", "", ""},
		{"consumer", "payment", "ok", "5 messages handled"},
		{"consumer", "stock", "waiting", "2 messages waiting"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("nodes\n%v, want\n%v", got, want)
	}
	var edges []string
	for _, e := range c.Edges {
		edges = append(edges, e.From+" "+e.To)
	}
	slices.Sort(edges)
	if want := []string{"s:orders t:shop.orders", "s:payment t:shop.paid", "t:shop.elsewhere c:stock/stock", "t:shop.orders c:payment/payment", "t:shop.orders c:stock/stock", "t:shop.paid c:stock/stock"}; !slices.Equal(edges, want) {
		t.Errorf("edges\n%q, want\n%q", edges, want)
	}
	for i, b := range c.Boxes {
		if c.Nodes[i].Box != b {
			t.Errorf("node %d stands at %+v, its box at %+v", i, c.Nodes[i].Box, b)
		}
	}
	if again := chainOf(byName([]api.Service{orders, mail, payment, stock})); !reflect.DeepEqual(c, again) {
		t.Error("the order of the answers moves the drawing")
	}
	if none := chainOf(nil); len(none.Nodes) != 0 {
		t.Errorf("%+v", none)
	}
}

func TestServiceState(t *testing.T) {
	alive := []api.Service{{}}
	with := func(state outbox.State, failed int64, paused bool) service {
		return service{Instances: alive, HasOutbox: true, Paused: paused, Backlog: outbox.Backlog{Started: 1, Failed: failed}, Relay: admin.RelayStatus{State: state}}
	}
	tests := []struct {
		s            service
		state, label string
	}{
		{service{Instances: alive, Down: 1}, "away", "does not answer"},
		{service{Instances: alive}, "ok", "1 instance"},
		{with(outbox.Active, 0, false), "ok", "relay active, 1 pending"},
		{with(outbox.Active, 2, false), "failing", "2 rows FAILED"},
		{with(outbox.Active, 2, true), "paused", "paused, 1 pending"},
		{with(outbox.Stopped, 0, false), "held", "relay stopped, 1 pending"},
	}
	for _, test := range tests {
		if state, label := serviceState(test.s); state != test.state || label != test.label {
			t.Errorf("%q %q, want %q %q", state, label, test.state, test.label)
		}
	}
}
