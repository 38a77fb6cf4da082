package journal_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/storage/sqlite"
)

type ItemAdded struct {
	Item     string `json:"item"`
	Quantity int    `json:"quantity"`
}

// Many entities share transactions; one that somebody else wrote to is a conflict
// of its own.
func ExampleWriter() {
	ctx := context.Background()
	folder, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	db, err := sqlite.Open(ctx, filepath.Join(folder, "cart.db"), sqlite.Config{})
	if err != nil {
		panic(err)
	}
	defer db.Close()
	registry, err := journal.NewRegistry(journal.JSON(journal.TypeOf[ItemAdded]("shop.Cart$ItemAdded")))
	if err != nil {
		panic(err)
	}

	writer := journal.NewWriter(db, journal.WriterConfig{})
	if err := writer.Start(ctx); err != nil {
		panic(err)
	}
	defer writer.Stop(ctx)
	payload, err := registry.Marshal(ItemAdded{"book", 2})
	if err != nil {
		panic(err)
	}
	write := journal.Write{
		PersistenceID: "Cart|7", After: 0, Writer: event.NewID(),
		Events: []journal.NewEvent{{Payload: payload}},
	}
	appended, err := writer.Append(ctx, write)
	fmt.Println(appended.SeqNr, err)
	_, err = writer.Append(ctx, write) // after 0 once more
	fmt.Println(errors.Is(err, journal.ErrConflict))

	err = db.Events(ctx, "Cart|7", 1, 0, func(e journal.Event) error {
		value, err := registry.Unmarshal(e.Payload)
		fmt.Printf("%d %+v\n", e.SeqNr, value)
		return err
	})
	if err != nil {
		panic(err)
	}
	// Output:
	// 1 <nil>
	// true
	// 1 {Item:book Quantity:2}
}

// Events of years ago are read as what they would be today.
func ExampleRegistry_WithAdapters() {
	base, err := journal.NewRegistry(journal.JSON(journal.TypeOf[ItemAdded]("ItemAdded").Version(2)))
	if err != nil {
		panic(err)
	}
	registry, err := base.WithAdapters(
		journal.Rename("com.old.ItemAdded", "ItemAdded"),
		journal.Upcast("ItemAdded", 1, 2, func(fields map[string]json.RawMessage) error {
			fields["quantity"] = json.RawMessage("1") // there was no other
			return nil
		}),
		journal.Drop("CartViewed"),
	)
	if err != nil {
		panic(err)
	}
	for _, p := range []journal.Payload{
		{Serializer: journal.JSONSerializer, Manifest: "com.old.ItemAdded", Data: []byte(`{"item":"pen"}`)},
		{Serializer: journal.JSONSerializer, Manifest: "CartViewed", Data: []byte(`{}`)},
		{Serializer: journal.JSONSerializer, Manifest: "ItemAdded#2", Data: []byte(`{"item":"ink","quantity":3}`)},
	} {
		values, err := registry.Decode(p)
		fmt.Printf("%+v %v\n", values, err)
	}
	// Output:
	// [{Item:pen Quantity:1}] <nil>
	// [] <nil>
	// [{Item:ink Quantity:3}] <nil>
}
