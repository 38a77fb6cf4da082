package mongo

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/pabal-dev/pabal/examples/library/bestbook/domain"
	"github.com/pabal-dev/pabal/examples/library/bestbook/ports"
	"github.com/pabal-dev/pabal/storage/mongodb"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// The collections.
const (
	rentsCollection = "rents"
	bestCollection  = "best_books"
)

// rent and best are their documents.
type rent struct {
	ID     string `bson:"_id"`
	BookNo int64  `bson:"bookNo"`
	Status string `bson:"status"`
}

type best struct {
	BookNo int64  `bson:"bookNo"`
	Title  string `bson:"title"`
	Rents  int64  `bson:"rents"`
}

// order is the one in which the best books are listed.
var order = bson.D{{Key: "rents", Value: -1}, {Key: "bookNo", Value: 1}}

func (b *books) index(ctx context.Context) error {
	_, err := b.best.Collection().Indexes().CreateOne(ctx, mongo.IndexModel{Keys: order})
	return err
}

// within makes a transaction a ports.Tx.
func (b *books) within(ctx context.Context, tx *mongodb.Tx, change func(context.Context, ports.Tx) error) error {
	return change(tx.Context(ctx), transaction{tx.Database().Collection(rentsCollection), b.best})
}

// transaction is ports.Tx; the contexts that it gets are those of the transaction.
type transaction struct {
	rents *mongo.Collection
	best  *mongodb.View
}

func (tx transaction) Rent(ctx context.Context, id string) (*domain.Rent, error) {
	var r rent
	err := tx.rents.FindOne(ctx, bson.D{{Key: "_id", Value: id}}).Decode(&r)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return nil, nil
	}
	return &domain.Rent{ID: r.ID, BookNo: r.BookNo, Status: domain.Status(r.Status)}, err
}

func (tx transaction) PutRent(ctx context.Context, r domain.Rent) error {
	_, err := tx.rents.ReplaceOne(ctx, bson.D{{Key: "_id", Value: r.ID}}, rent{r.ID, r.BookNo, string(r.Status)}, options.Replace().SetUpsert(true))
	return err
}

// Count writes the version after the one that it has read: where another transaction
// does, too, the database has one of them begin again.
func (tx transaction) Count(ctx context.Context, bookNo int64, title string, change int64) error {
	id := strconv.FormatInt(bookNo, 10)
	var b best
	version, there, err := tx.best.Get(ctx, id, &b)
	if err != nil {
		return err
	}
	if !there {
		b = best{BookNo: bookNo, Title: title}
	}
	b.Rents += change
	return tx.best.Put(ctx, id, version+1, b)
}

// Best implements ports.Books.
func (b *books) Best(ctx context.Context, limit int) (all []domain.Best, err error) {
	defer func() {
		if err != nil && b.db.Transient(err) {
			err = fmt.Errorf("%w: %w", ports.ErrUnavailable, err)
		}
	}()
	filter := bson.D{{Key: "rents", Value: bson.D{{Key: "$gt", Value: 0}}}, mongodb.Live()}
	found, err := b.best.Collection().Find(ctx, filter, options.Find().SetSort(order).SetLimit(int64(limit)))
	if err != nil {
		return nil, err
	}
	var documents []best
	if err := found.All(ctx, &documents); err != nil {
		return nil, err
	}
	for _, d := range documents {
		all = append(all, domain.Best(d))
	}
	return all, nil
}
