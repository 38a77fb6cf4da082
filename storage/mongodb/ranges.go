package mongodb

import (
	"math"
	"slices"

	"github.com/pabal-dev/pabal/outbox"
	"go.mongodb.org/mongo-driver/v2/bson"
)

func within(ids outbox.Range) bson.E {
	return bson.E{Key: "id", Value: bson.D{{Key: "$gte", Value: ids.First}, {Key: "$lte", Value: ids.Last}}}
}

// gaps is what lies between the taken ids, above one.
func gaps(above int64, taken []outbox.Range) (out []outbox.Range) {
	next := max(above, 0) + 1 // rows with id 0 have none yet
	for _, r := range taken {
		if r.First > next {
			out = append(out, outbox.Range{First: next, Last: r.First - 1})
		}
		next = max(next, r.Last+1)
	}
	return append(out, outbox.Range{First: next, Last: math.MaxInt64})
}

// idBatch bounds the ids of a filter.
const idBatch = 5000

// batchesOf are filters of the ids, in their order.
func batchesOf(ids []int64) (out []bson.E) {
	ids = slices.Sorted(slices.Values(ids))
	for some := range slices.Chunk(ids, idBatch) {
		out = append(out, bson.E{Key: "id", Value: bson.D{{Key: "$in", Value: some}}})
	}
	return out
}
