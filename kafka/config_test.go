package kafka_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/kafka"
)

func TestConfigErrorsNameTheSetting(t *testing.T) {
	ok := []string{"localhost:9092"}
	for _, c := range []struct {
		want   string
		config kafka.Config
	}{
		{"no brokers given", kafka.Config{}},
		{`broker ""`, kafka.Config{Brokers: []string{""}}},
		{`broker "http://x:1"`, kafka.Config{Brokers: []string{"http://x:1"}}},
		{`broker "a b"`, kafka.Config{Brokers: []string{"a b"}}},
		{`broker "a:b:c"`, kafka.Config{Brokers: []string{"a:b:c"}}},
		{`prefix "a/b"`, kafka.Config{Brokers: ok, Prefix: "a/b"}},
		{`SASL mechanism "MD5"`, kafka.Config{Brokers: ok, SASL: kafka.SASL{Mechanism: "MD5", User: "u"}}},
		{"needs a user", kafka.Config{Brokers: ok, SASL: kafka.SASL{Mechanism: "PLAIN"}}},
		{"without a mechanism", kafka.Config{Brokers: ok, SASL: kafka.SASL{User: "u"}}},
	} {
		_, err := kafka.NewClient(c.config)
		if !errors.Is(err, kafka.ErrConfig) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want ErrConfig with %q", err, c.want)
		}
	}
	for _, brokers := range [][]string{{"localhost"}, {"10.0.0.1:9092", "b:1"}, {"[::1]:9092"}} {
		if err := (kafka.Config{Brokers: brokers}).Validate(); err != nil {
			t.Errorf("%v: %v", brokers, err)
		}
	}
}

func TestPrefix(t *testing.T) {
	c := kafka.Config{Prefix: "tenant-1."}
	if c.Topic("orders") != "tenant-1.orders" || c.Local("tenant-1.orders") != "orders" || c.Group("g") != "tenant-1.g" {
		t.Error("the prefix is not where it belongs")
	}
}

func TestUnreachableClusterIsNamed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close() // now nobody listens there
	c := kafka.Config{Brokers: []string{address}}
	client, err := kafka.NewClient(c)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	_, err = kafka.ClusterID(ctx, client, c)
	if !errors.Is(err, kafka.ErrUnreachable) || !strings.Contains(err.Error(), address) {
		t.Errorf("got %v", err)
	}
}
