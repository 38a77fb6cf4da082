package library_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/library/bestbook"
	"github.com/pabal-dev/pabal/examples/library/bestbook/adapters/mongo"
	"github.com/pabal-dev/pabal/examples/library/message"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/internal/systemtest"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/storage/mongodb"
)

// withMongoDB is the service of the best books alone, on a database of its own.
func withMongoDB(t *testing.T) (system, func(*service.Config)) {
	t.Helper()
	base, options, _ := strings.Cut(testenv.MongoDB(t), "?")
	url := fmt.Sprintf("%s/library_%d?%s", strings.TrimRight(base, "/"), time.Now().UnixNano(), options)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), systemtest.StateTimeout)
		defer cancel()
		db, err := mongodb.Open(ctx, url, mongodb.Config{Logger: systemtest.Log()})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(db.Database().Drop(ctx), db.Close()); err != nil {
			t.Error(err)
		}
	})
	s := system{systemtest.New(t, systemtest.Embedded, service.System{
		Name: "library", Definitions: []service.Definition{mongo.Option(bestbook.Definition())},
	}), t}
	return s, func(c *service.Config) { c.Texts = map[string]string{mongo.URL.Name: url} }
}

// TestBestBooksInMongoDB counts each rent once, and none that was compensated, in
// whatever order messages come, with two processes, and after a restart.
func TestBestBooksInMongoDB(t *testing.T) {
	s, there := withMongoDB(t)
	s.Start("bestbook", there)
	second := s.Launch("bestbook", there)
	defer systemtest.Stop(t, second)
	var rents, cancels []event.Event
	for i := range 60 {
		id, member, book := fmt.Sprint("t", i), fmt.Sprint("m", i%7), int64(1+i%3)
		rents = append(rents, rentedEvent(id, member, book))
		if i%3 == 2 && i%2 == 0 { // half of those of book 3
			cancels = append(cancels, cancelEvent(message.RentCancel, id, member, book, message.BestBook),
				cancelEvent(message.RentCancel, id, member, book, message.Book))
		}
	}
	s.Publish(message.RentCancel, cancels[:len(cancels)/2]...) // some before their rents
	s.Publish(message.RentalRent, rents...)
	s.Publish(message.RentalRent, rents[:10]...)
	s.Publish(message.RentCancel, cancels[len(cancels)/2:]...)
	s.counted(1, 20)
	s.counted(2, 20)
	s.counted(3, 10)
	a := s.Must(200, "GET", "bestbook", "/best-books?limit=2", nil)
	if want := `{"bestBooks":[{"no":1,"title":"누구를 위하여 종을 울리나?","rentCount":20},{"no":2,"title":"누구를 위하여 종을 울리나?","rentCount":20}]}`; a.Text != want {
		t.Errorf("the best two are %s", a.Text)
	}
	s.Must(200, "GET", "bestbook", "/readyz", nil)

	s.Stop("bestbook")
	s.Start("bestbook", there)
	s.Publish(message.RentalRent, rentedEvent("t60", "m0", 1), rents[0])
	s.counted(1, 21)
	s.counted(3, 10)
}

// TestMongoDBThatIsNotThere is an error at the start that says so, without the password.
func TestMongoDBThatIsNotThere(t *testing.T) {
	d := mongo.Option(bestbook.Definition())
	s := systemtest.New(t, systemtest.Embedded, service.System{})
	running, err := service.New(d, service.Config{
		Listen: "127.0.0.1:0", Database: s.Database("bestbook"), Kafka: s.Kafka, Logger: systemtest.Log(),
		Texts: map[string]string{mongo.URL.Name: "mongodb://u:secret@127.0.0.1:1/library?serverSelectionTimeoutMS=200"},
	})
	if err != nil {
		t.Fatal(err)
	}
	err = running.Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), "MongoDB") || strings.Contains(err.Error(), "secret") {
		t.Errorf("%v", err)
	}
}
