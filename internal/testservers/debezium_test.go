package testservers_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
)

func TestDebeziumHasItsConnectors(t *testing.T) {
	kafka := testenv.StartKafka(t)
	connect := testenv.StartDebezium(t, []string{kafka.Addr})
	var plugins []struct{ Class string }
	get(t, connect.URL+"/connector-plugins", &plugins)
	var classes []string
	for _, p := range plugins {
		classes = append(classes, p.Class)
	}
	for _, want := range []string{
		"io.debezium.connector.postgresql.PostgresConnector",
		"io.debezium.connector.mongodb.MongoDbConnector",
		"io.debezium.connector.mysql.MySqlConnector",
		"io.debezium.connector.mariadb.MariaDbConnector",
		"org.apache.kafka.connect.file.FileStreamSourceConnector",
	} {
		if !slices.Contains(classes, want) {
			t.Errorf("%s is not among its connectors: %v", want, classes)
		}
	}
}

func get(t *testing.T, url string, into any) {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("%s answers %s", url, answer.Status)
	}
	if err := json.NewDecoder(answer.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
}
