package traffic

import (
	"reflect"
	"testing"
)

func TestPlanRepeatsItself(t *testing.T) {
	a, b, other := NewPlan(7), NewPlan(7), NewPlan(8)
	same := true
	for i := range 5000 {
		x, y, z := a.Next(), b.Next(), other.Next()
		if !reflect.DeepEqual(x, y) {
			t.Fatalf("intent %d of seed 7: %+v, then %+v", i, x, y)
		}
		same = same && reflect.DeepEqual(x, z)
	}
	if same {
		t.Fatal("seeds 7 and 8 gave the same traffic")
	}
}

// TestPlanHasEverything: every kind comes up early, in about its share, and the
// customers' money lasts.
func TestPlanHasEverything(t *testing.T) {
	p := NewPlan(1)
	count, orders := map[Kind]int{}, 0
	credit := map[int]int64{}
	for range 20_000 {
		in := p.Next()
		count[in.Kind]++
		switch in.Kind {
		case Deposit, NewCustomer:
			credit[in.Customer] += in.Price
			continue
		case NewProduct:
			continue
		}
		orders++
		if in.Price <= 0 || len(in.Items) == 0 {
			t.Fatalf("%+v is no order", in)
		}
		if in.Kind == NoCredit && in.Price <= pocketMoney {
			t.Fatalf("%+v costs no more than a poor customer has", in)
		}
		if in.Kind != NoCredit {
			if in.Customer < poorCustomers {
				t.Fatalf("%+v is by a customer without money", in)
			}
			if credit[in.Customer] -= in.Price; credit[in.Customer]+depositAmount < 0 {
				t.Fatalf("customer %d has spent more than was ever deposited", in.Customer)
			}
		}
	}
	for _, s := range shares {
		if got, want := count[s.kind]*100, s.percent*orders; got < want*8/10 || got > want*12/10 {
			t.Errorf("%d of %d orders are %s, want about %d %%", count[s.kind], orders, s.kind, s.percent)
		}
	}
	for _, k := range []Kind{Deposit, NewCustomer, NewProduct} {
		if count[k] == 0 {
			t.Errorf("no %s in 20,000 intents", k)
		}
	}
}
