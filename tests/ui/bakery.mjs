/** What the shop of the tests knows. */
export const bakery = `GOLDEN CRUST BAKERY

Opening hours
Monday to Friday: 6:30 am to 8 pm
Saturday: 7 am to 6 pm
Sunday and public holidays: 7 am to 1 pm

Bread
Sourdough loaf, 700 g: $8.50. Contains gluten.
Gluten-free rice bread, 500 g: $9.80. Tuesdays and Fridays from 10 am. Baked in a separate oven.

Delivery area
We deliver within 5 km of the shop. Delivery costs $4, free above $60. Last delivery at 6 pm.

Payment
Cash, debit and credit card, and bank transfer.
`;
