package topselling

import (
	"github.com/pabal-dev/pabal/examples/orders/message"
	"github.com/pabal-dev/pabal/streams"
	"github.com/pabal-dev/pabal/streams/state"
)

// statusApproved is the order's that the restaurant has approved, which is final.
const statusApproved = "APPROVED"

// approvals passes each order on when its restaurant approves it, under the restaurant's id: once,
// also where the outbox published it twice, because its process died in between.
type approvals struct {
	c       streams.Context[string, approved]
	counted state.WindowStore[string, []byte]
}

func (a *approvals) Init(c streams.Context[string, approved]) (err error) {
	a.c = c
	a.counted, err = streams.StoreOf[state.WindowStore[string, []byte]](c, countedStore)
	return err
}

func (a *approvals) Process(r streams.Record[string, message.OrderChanged]) error {
	if r.NoValue || r.Value.Status != statusApproved || r.Value.RestaurantID == "" {
		return nil
	}
	if _, twice, err := a.counted.Fetch(r.Key, r.Timestamp); twice || err != nil {
		return err
	}
	if err := a.counted.Put(r.Key, r.Timestamp, []byte{}); err != nil {
		return err
	}
	return a.c.Forward(streams.Record[string, approved]{Key: r.Value.RestaurantID, Value: approved{r.Value.Price}, Timestamp: r.Timestamp})
}

func (a *approvals) Close() error { return nil }
