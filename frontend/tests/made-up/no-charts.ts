/** Stands for plotly.js in the page of the made-up graph, which draws no charts. */

export default {};
