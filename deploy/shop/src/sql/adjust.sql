-- $1 tenant, $2 adjustment, $3 product, $4 delta. No row: no such product.
-- A repeat writes too: see sell.sql.
WITH adjusted AS (
    INSERT INTO shop.stock_adjustments (tenant, id, product_id, delta)
    SELECT tenant, $2::uuid, id, $4::int
    FROM shop.products
    WHERE tenant = $1::text AND id = $3::int
    ON CONFLICT (tenant, id) DO UPDATE SET repeats = stock_adjustments.repeats + 1
    RETURNING tenant, product_id, delta, repeats
), moved AS (
    UPDATE shop.products AS product
    SET stock = product.stock + adjusted.delta
    FROM adjusted
    WHERE adjusted.repeats = 0 AND product.tenant = adjusted.tenant AND product.id = adjusted.product_id
    RETURNING product.stock
)
SELECT adjusted.product_id, adjusted.delta, coalesce(moved.stock, product.stock) AS stock
FROM adjusted
JOIN shop.products AS product ON product.tenant = adjusted.tenant AND product.id = adjusted.product_id
LEFT JOIN moved ON true
