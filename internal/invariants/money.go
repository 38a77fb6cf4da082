package invariants

import (
	"context"

	"github.com/pabal-dev/pabal/storage"
)

// money: what was deposited is there as credit or was taken for orders, for
// each customer and so for all.
func (c *checker) money(ctx context.Context) error {
	var deposited, credits, taken int64
	err := each(ctx, c.Payment, moneyByCustomer, nil, func(r storage.Row) error {
		var customer string
		var in, balance, said, out int64
		if err := r.Scan(&customer, &in, &balance, &said, &out); err != nil {
			return err
		}
		deposited, credits, taken = deposited+in, credits+balance, taken+out
		if in != balance+out {
			c.violated(Money, "customer %s deposited %d, has %d and paid %d", customer, in, balance, out)
		}
		if in != said {
			c.violated(Money, "customer %s has deposits of %d, the credit says %d", customer, in, said)
		}
		if balance < 0 {
			c.violated(Money, "customer %s has %d", customer, balance)
		}
		return nil
	})
	c.summary(Money, "deposits %d = credits %d + money taken %d", deposited, credits, taken)
	return err
}

const moneyByCustomer = `
SELECT customer_id, CAST(sum(deposited) AS BIGINT), CAST(sum(balance) AS BIGINT),
       CAST(sum(said) AS BIGINT), CAST(sum(taken) AS BIGINT)
FROM (
    SELECT customer_id, amount AS deposited, 0 AS balance, 0 AS said, 0 AS taken FROM deposits
    UNION ALL
    SELECT customer_id, 0, balance, deposited, 0 FROM credits
    UNION ALL
    SELECT customer_id, 0, 0, 0, taken - refunded FROM payments
) AS movements
GROUP BY customer_id`

// stock: what is left of a product is what there was less what approved orders
// took.
func (c *checker) stock(ctx context.Context) error {
	var products, sold int64
	err := each(ctx, c.Restaurant, stockByProduct, nil, func(r storage.Row) error {
		var product string
		var there, initial, left, took int64
		if err := r.Scan(&product, &there, &initial, &left, &took); err != nil {
			return err
		}
		products, sold = products+there, sold+took
		if there != 1 {
			c.violated(Stock, "product %s exists %d times and %d of it were sold", product, there, took)
		}
		if left != initial-took || left < 0 {
			c.violated(Stock, "product %s: %d at first, %d sold, %d left", product, initial, took, left)
		}
		return nil
	})
	c.summary(Stock, "%d products, stock = initial - %d sold", products, sold)
	return err
}

const stockByProduct = `
SELECT product_id, CAST(sum(there) AS BIGINT), CAST(sum(initial) AS BIGINT),
       CAST(sum(stock) AS BIGINT), CAST(sum(took) AS BIGINT)
FROM (
    SELECT id AS product_id, 1 AS there, initial_stock AS initial, stock, 0 AS took FROM products
    UNION ALL
    SELECT product_id, 0, 0, 0, quantity FROM approval_items
) AS movements
GROUP BY product_id`
