package testservers_test

import (
	"context"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// TestMongoDBKeepsATransactionOverAKill: it is a replica set, else there were no
// transactions.
func TestMongoDBKeepsATransactionOverAKill(t *testing.T) {
	server := testenv.StartMongoDB(t)
	client, err := mongo.Connect(options.Client().ApplyURI(server.URL))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Disconnect(context.Background()) }()
	things := client.Database("pabal_test").Collection("things")
	err = client.UseSession(t.Context(), func(ctx context.Context) error {
		_, err := mongo.SessionFromContext(ctx).WithTransaction(ctx, func(ctx context.Context) (any, error) {
			return things.InsertOne(ctx, bson.M{"_id": "a"})
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, err := things.CountDocuments(t.Context(), bson.M{"_id": "a"}); err != nil || n != 1 {
		t.Fatalf("got %d documents and %v, want 1", n, err)
	}
}
