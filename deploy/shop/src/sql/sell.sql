-- $1 tenant, $2 sale, $3 SKU, $4 customer, $5 quantity. No row: no such product.
-- A repeat writes too (it counts itself), so that its commit waits for the synchronous standby as the first
-- one did: answering from a row that only this server has would acknowledge a sale that a failover loses.
WITH sold AS (
    INSERT INTO shop.sales (tenant, id, product_id, customer_id, quantity, amount_cents)
    SELECT tenant, $2::uuid, id, $4::text, $5::int, price_cents::bigint * $5::int
    FROM shop.products
    WHERE tenant = $1::text AND sku = $3::text
    ON CONFLICT (tenant, id) DO UPDATE SET repeats = sales.repeats + 1
    RETURNING tenant, id, product_id, customer_id, quantity, amount_cents, sold_at, repeats
), counted AS (
    INSERT INTO shop.sales_daily AS daily (tenant, day, product_id, sales, quantity, amount_cents)
    SELECT tenant, (sold_at AT TIME ZONE 'UTC')::date, product_id, 1, quantity, amount_cents
    FROM sold
    WHERE repeats = 0
    ON CONFLICT (tenant, day, product_id) DO UPDATE
    SET sales = daily.sales + 1,
        quantity = daily.quantity + excluded.quantity,
        amount_cents = daily.amount_cents + excluded.amount_cents
), taken AS (
    -- Stock may fall below zero: a back order.
    UPDATE shop.products AS product
    SET stock = product.stock - sold.quantity
    FROM sold
    WHERE sold.repeats = 0 AND product.tenant = sold.tenant AND product.id = sold.product_id
)
SELECT id, product_id, customer_id, quantity, amount_cents,
       to_char(sold_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS sold_at
FROM sold
