package entity_test

import (
	"testing"

	"github.com/pabal-dev/pabal/entity"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/sqlite"
)

// TestServerOnAnyDatabase needs no type arguments.
func TestServerOnAnyDatabase(t *testing.T) {
	db := openSQLite(t).(*sqlite.DB)
	h, err := entity.NewEventSourced(sourcedCounters(t), db, entity.Config{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	cluster := kafka.Config{Brokers: []string{"localhost:1"}}
	if _, err := entity.NewServer(h, db, cluster, serverConfig()); err != nil {
		t.Error(err)
	}
	if _, err := entity.NewServer(h, storage.Any(db), cluster, serverConfig()); err != nil {
		t.Error(err)
	}
	bad := serverConfig()
	bad.Topic = ""
	if _, err := entity.NewServer(h, db, cluster, bad); err == nil {
		t.Error("a server without a topic is made")
	}
}
