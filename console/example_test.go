package console_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"

	"github.com/pabal-dev/pabal/console"
	"github.com/pabal-dev/pabal/kafka"
)

// A console is a handler: mount it beside your own. Without users it answers its own
// machine only.
func ExampleNew() {
	c, err := console.New(console.Config{
		Kafka:  kafka.Config{Brokers: []string{"127.0.0.1:9092"}},
		Base:   "/console",
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Stop(context.Background()) // c.Start(ctx) connects it

	mux := http.NewServeMux()
	mux.Handle("/console/", c)
	r := httptest.NewRequest(http.MethodGet, "http://localhost/console/api/v1/me", nil)
	r.RemoteAddr = "127.0.0.1:50000"
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	fmt.Print(w.Code, " ", w.Body)
	// Output: 200 {"user":"local","role":"admin","open":true}
}

// Others reach the console only where they have to log in.
func ExampleNewServer() {
	cfg := console.Config{Kafka: kafka.Config{Brokers: []string{"127.0.0.1:9092"}}, Listen: "0.0.0.0:8080"}
	c, err := console.New(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Stop(context.Background())
	_, err = console.NewServer(c, cfg)
	fmt.Println(err)
	// Output: console configuration: on 0.0.0.0:8080 others reach the console, and nobody has to log in: give it a users file (`pabal user add` makes one), or listen on 127.0.0.1
}
