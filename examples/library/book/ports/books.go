package ports

import (
	"context"

	"github.com/pabal-dev/pabal/examples/library/book/domain"
)

// Books is what people do with books.
type Books struct{ Store Store }

// Enter adds a book; where available, it can be rented from now on.
func (b Books) Enter(ctx context.Context, title, author, isbn string, available bool) (domain.Book, error) {
	no, err := b.Store.NewNo(ctx)
	if err != nil {
		return domain.Book{}, err
	}
	book := domain.Enter(no, title, author, isbn)
	if available {
		if book, err = book.MakeAvailable(); err != nil {
			return domain.Book{}, err
		}
	}
	return book, b.Store.Update(ctx, func(tx Tx) error { return tx.AddBook(ctx, book) })
}

// MakeAvailable lets members rent a book; ErrNoBook, domain.ErrNotEntered.
func (b Books) MakeAvailable(ctx context.Context, no int64) (book domain.Book, err error) {
	err = b.Store.Update(ctx, func(tx Tx) error {
		if book, err = tx.LockBook(ctx, no); err != nil {
			return err
		}
		if book, err = book.MakeAvailable(); err != nil {
			return err
		}
		return tx.SaveBook(ctx, book)
	})
	return book, err
}
