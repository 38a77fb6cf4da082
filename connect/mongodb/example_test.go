package mongodb_test

import (
	"fmt"

	"github.com/pabal-dev/pabal/connect/mongodb"
)

func Example() {
	source := mongodb.Source{}
	values, problems := source.Info().Config.Parse(map[string]string{
		"connector.class":           mongodb.Class,
		"mongodb.connection.string": "mongodb://localhost:27017/?replicaSet=rs0",
		"topic.prefix":              "shop",
		"collection.include.list":   "orders.payment_outboxes",
	})
	fmt.Println(len(problems), values.String("capture.mode"), values.String("snapshot.mode"))
	// Where to begin may be set by hand, and is checked before.
	err := source.CheckOffset(map[string]any{"server_id": "shop"}, map[string]any{"resume_token": "?"})
	fmt.Println(err)
	// Output:
	// 0 change_streams_update_full initial
	// resume_token is no resume token: a document with _data in base64 is expected
}
